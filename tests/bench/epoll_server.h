// The barest HTTP server that the kernel allows, for the benchmark's floor and its origin: one
// thread, edge-triggered epoll registered once a connection, one recv and one writev a request.
// It parses nothing but a path: a read that ends in an empty line is a request. Loopback only.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string_view>
#include <vector>

namespace weir::bench {

// What is sent for one request. Both views outlive the sending: they point to static data, or the
// head into the connection's own `scratch`.
struct Answer {
  std::string_view head;
  std::string_view body;
};

struct Connection {
  explicit Connection(int descriptor) : fd(descriptor) {}
  ~Connection() { close(fd); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd;
  Answer unsent;
  std::array<char, 512> scratch;
};

// What stands behind the method of a request.
inline std::string_view path_of(std::string_view request) {
  const std::size_t begin = request.find(' ');
  if (begin == std::string_view::npos) return {};
  return request.substr(begin + 1, request.find(' ', begin + 1) - begin - 1);
}

// Sends what is unsent until the socket is full; false when the peer is gone.
inline bool send_on(Connection& connection) {
  Answer& unsent = connection.unsent;
  while (!unsent.head.empty() || !unsent.body.empty()) {
    const std::array<iovec, 2> parts{
        iovec{const_cast<char*>(unsent.head.data()), unsent.head.size()},
        iovec{const_cast<char*>(unsent.body.data()), unsent.body.size()}};
    const ssize_t sent = writev(connection.fd, parts.data(), 2);
    if (sent < 0) return errno == EAGAIN;
    const std::size_t of_head = std::min<std::size_t>(sent, unsent.head.size());
    unsent.head.remove_prefix(of_head);
    unsent.body.remove_prefix(sent - of_head);
  }
  return true;
}

// Reads one request and answers it; false when the peer is gone. A short read empties the socket,
// so the edge is spent by one recv.
template <typename Responder>
bool receive_on(Connection& connection, Responder& respond) {
  std::array<char, 8192> buffer;
  const ssize_t received = recv(connection.fd, buffer.data(), buffer.size(), 0);
  if (received <= 0) return received < 0 && errno == EAGAIN;
  const std::string_view request(buffer.data(), received);
  if (request.ends_with("\r\n\r\n")) connection.unsent = respond(request, connection);
  return send_on(connection);
}

inline int listen_on_loopback(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, 1024) != 0) {
    std::perror("listen");
    return -1;
  }
  return fd;
}

template <typename Peer>
void accept_all(int listener, int poll, std::vector<std::unique_ptr<Peer>>& all) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (all.size() <= static_cast<std::size_t>(fd)) all.resize(fd + 1);
    all[fd] = std::make_unique<Peer>(fd);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.fd = fd;
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  }
}

// Serves until it is killed; returns only when it cannot listen. `respond(request, connection)`
// returns the Answer.
template <typename Responder>
int serve(std::uint16_t port, Responder respond) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that leaves in mid-answer is an EPIPE of writev
  const int listener = listen_on_loopback(port);
  if (listener < 0) return 1;
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener;
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);

  std::vector<std::unique_ptr<Connection>> connections;  // by descriptor
  std::array<epoll_event, 128> events;
  for (;;) {
    const int ready = epoll_wait(poll, events.data(), events.size(), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener) {
        accept_all(listener, poll, connections);
        continue;
      }
      Connection& connection = *connections[fd];
      const bool writing = !connection.unsent.body.empty() || !connection.unsent.head.empty();
      bool alive = !writing || send_on(connection);
      if (alive && (events[i].events & EPOLLIN)) alive = receive_on(connection, respond);
      if (!alive) connections[fd].reset();
    }
  }
}

}  // namespace weir::bench
