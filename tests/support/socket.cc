#include "tests/support/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

namespace weir::test {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int new_socket(int family) {
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  return fd;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) throw std::length_error("socket path: " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

template <class Address>
void connect_to(const Socket& socket, const Address& address) {
  if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    fail("connect");
}

template <class Address>
void listen_on(const Socket& socket, const Address& address) {
  if (bind(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    fail("bind");
  if (listen(socket.fd(), 4096) != 0) fail("listen");
}

void send_small_writes_at_once(const Socket& socket) {
  const int on = 1;
  setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void wait_for(int fd, short events, Deadline deadline, const char* what) {
  pollfd entry{fd, events, 0};
  const int ready = poll(&entry, 1, deadline.remaining_ms());
  if (ready < 0 && errno != EINTR) fail("poll");
  if (ready == 0) throw TimedOut(what);
}

struct Queues {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};

// The kernel's queues of every socket whose own end is `port`.
Queues queues_at(std::uint16_t port) {
  std::ifstream table("/proc/net/tcp");
  std::string line;
  std::getline(table, line);
  Queues sum;
  while (std::getline(table, line)) {
    unsigned local_port = 0;
    unsigned long long sent = 0;
    unsigned long long received = 0;
    if (std::sscanf(line.c_str(), "%*d: %*8x:%x %*8x:%*x %*x %llx:%llx", &local_port, &sent,
                    &received) != 3 ||
        local_port != port)
      continue;
    sum.sent += sent;
    sum.received += received;
  }
  return sum;
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Socket Socket::connect_tcp(std::uint16_t port, int receive_buffer) {
  Socket socket(new_socket(AF_INET));
  if (receive_buffer > 0)  // before connect: the window is agreed on there
    setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  connect_to(socket, loopback(port));
  send_small_writes_at_once(socket);
  return socket;
}

Socket Socket::begin_connect_tcp(std::uint16_t port) {
  Socket socket(new_socket(AF_INET));
  fcntl(socket.fd(), F_SETFL, O_NONBLOCK);
  const sockaddr_in address = loopback(port);
  if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
      errno != EINPROGRESS)
    fail("connect");
  return socket;
}

Socket Socket::connect_tcp6(std::uint16_t port) {
  Socket socket(new_socket(AF_INET6));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_addr = in6addr_loopback;
  connect_to(socket, address);
  send_small_writes_at_once(socket);
  return socket;
}

Socket Socket::connect_unix(const std::string& path) {
  Socket socket(new_socket(AF_UNIX));
  connect_to(socket, unix_address(path));
  return socket;
}

Socket Socket::listen_tcp(std::uint16_t port) {
  Socket socket(new_socket(AF_INET));
  const int on = 1;
  setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  listen_on(socket, loopback(port));
  return socket;
}

Socket Socket::refuse_tcp() {
  Socket socket(new_socket(AF_INET));
  const sockaddr_in address = loopback(0);
  if (bind(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    fail("bind");
  return socket;
}

Socket Socket::listen_unix(const std::string& path) {
  Socket socket(new_socket(AF_UNIX));
  listen_on(socket, unix_address(path));
  return socket;
}

std::uint16_t Socket::port() const {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");
  return ntohs(address.sin_port);
}

Socket Socket::accept() {
  while (true) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) {
      Socket accepted(fd);
      send_small_writes_at_once(accepted);
      return accepted;
    }
    if (errno != EINTR && errno != ECONNABORTED) return Socket();
  }
}

std::size_t Socket::send_now(std::string_view bytes) {
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EINTR) return 0;
  throw PeerGone(std::string("send: ") + std::strerror(errno));
}

void Socket::send_all(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const std::size_t sent = send_now(bytes);
    bytes.remove_prefix(sent);
    if (sent == 0) wait_for(fd_, POLLOUT, deadline, "the peer takes no bytes");
  }
}

std::size_t Socket::receive(char* buffer, std::size_t capacity, Deadline deadline) {
  while (true) {
    const ssize_t got = ::recv(fd_, buffer, capacity, MSG_DONTWAIT);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EAGAIN) {
      wait_for(fd_, POLLIN, deadline, "the peer sends no bytes");
    } else if (errno != EINTR) {
      return 0;
    }
  }
}

bool Socket::readable_now() const {
  pollfd entry{fd_, POLLIN, 0};
  return poll(&entry, 1, 0) > 0;
}

void Socket::shut_down_sending() {
  ::shutdown(fd_, SHUT_WR);
}
void Socket::shut_down() {
  ::shutdown(fd_, SHUT_RDWR);
}

void Socket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Socket::reset() {
  const linger at_once{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close();
}

std::uint64_t waiting_at_port(std::uint16_t port) {
  return queues_at(port).received;  // of a listener: connections not accepted yet
}

std::uint64_t unsent_from_port(std::uint16_t port) {
  return queues_at(port).sent;
}

}  // namespace weir::test
