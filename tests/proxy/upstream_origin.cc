#include "tests/proxy/upstream_origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace weir::upstream::test {
namespace {

constexpr int kPatience_ms = 20'000;

int listen_at(const sockaddr* address, socklen_t size) {
  const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd < 0 || bind(fd, address, size) != 0 || listen(fd, 512) != 0) {
    throw std::runtime_error("cannot listen");
  }
  return fd;
}

int listen_loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return listen_at(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

int listen_loopback6() {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  return listen_at(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

int listen_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  unlink(path.c_str());
  return listen_at(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

std::uint16_t port_of(int fd) {
  sockaddr_in6 address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin6_port);  // at the same place for IPv4
}

// With a certificate that nobody has reason to trust.
SSL_CTX* make_tls() {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return context;
}

}  // namespace

// ---- AppConnection ----

AppConnection::~AppConnection() {
  if (tls_) SSL_free(tls_);
  close();
}

void AppConnection::wait_for(short what) const {
  pollfd poll_fd{fd_, what, 0};
  if (poll(&poll_fd, 1, kPatience_ms) == 0) throw std::runtime_error("the app waited in vain");
}

bool AppConnection::fill() {
  if (fd_ < 0) return false;
  char buffer[16 * 1024];
  if (!tls_) wait_for(POLLIN);
  const ssize_t got =
      tls_ ? SSL_read(tls_, buffer, sizeof buffer) : recv(fd_, buffer, sizeof buffer, 0);
  if (got < 0 && errno == ECONNRESET) was_reset_ = true;
  if (got <= 0) return false;
  pending_.append(buffer, static_cast<std::size_t>(got));
  return true;
}

std::string AppConnection::read_head() {
  std::size_t end = std::string::npos;
  while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return {};
  }
  std::string head = pending_.substr(0, end + 4);
  pending_.erase(0, end + 4);
  app_.record(head);
  return head;
}

std::string AppConnection::read_exactly(std::size_t size) {
  while (pending_.size() < size && fill()) {
  }
  std::string bytes = pending_.substr(0, size);
  pending_.erase(0, size);
  return bytes;
}

std::string AppConnection::read_to_end() {
  while (fill()) {
  }
  return std::exchange(pending_, {});
}

bool AppConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!tls_) wait_for(POLLOUT);
    const ssize_t sent = tls_ ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                              : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void AppConnection::end_sending() {
  if (tls_) SSL_shutdown(tls_);
  end_bare();
}

void AppConnection::end_bare() {
  shutdown(fd_, SHUT_WR);
}

void AppConnection::close() {
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

// The descriptor stays the app's, so that no other thread meets its number in new hands.
void AppConnection::reset() {
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  connect(fd_, &nowhere, sizeof nowhere);
}

// ---- App ----

App::App(Kind kind, std::string path, Play play)
    : kind_(kind), path_(std::move(path)), play_(std::move(play)) {
  if (kind_ == Kind::Tls) tls_ = make_tls();
  listen_on();
  if (pipe(stop_pipe_) != 0) throw std::runtime_error("no pipe");
  acceptor_ = std::thread([this] { accept_all(); });
}

App::~App() {
  ::close(stop_pipe_[1]);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  ::close(stop_pipe_[0]);
  ::close(listener_);
  if (kind_ == Kind::Unix) unlink(path_.c_str());
  if (tls_) SSL_CTX_free(tls_);
}

void App::listen_on() {
  switch (kind_) {
    case Kind::Unix:
      listener_ = listen_unix(path_);
      return;
    case Kind::Tcp6:
      listener_ = listen_loopback6();
      break;
    case Kind::Tcp:
    case Kind::Tls:
      listener_ = listen_loopback();
      break;
  }
  port_ = port_of(listener_);
}

void App::accept_all() {
  for (;;) {
    pollfd fds[2] = {{listener_, POLLIN, 0}, {stop_pipe_[0], POLLIN, 0}};
    poll(fds, 2, -1);
    if (fds[1].revents != 0) return;
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    int number = 0;
    {
      const std::lock_guard lock(mutex_);
      number = connections_++;
      open_.push_back(fd);
    }
    threads_.emplace_back([this, fd, number] { serve(fd, number); });
  }
}

void App::serve(int fd, int number) {
  SSL* tls = nullptr;
  bool good = true;
  if (tls_) {
    tls = SSL_new(tls_);
    SSL_set_fd(tls, fd);
    good = SSL_accept(tls) == 1;
  }
  {
    AppConnection connection(*this, fd, number, tls);
    try {
      if (good) play_(connection);
    } catch (const std::exception&) {
      // The test sees what did not happen.
    }
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_, fd);
  ::close(fd);
}

void App::record(std::string head) {
  const std::lock_guard lock(mutex_);
  heads_.push_back(std::move(head));
}

int App::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_;
}

std::vector<std::string> App::heads() const {
  const std::lock_guard lock(mutex_);
  return heads_;
}

conf::UpstreamUrl App::url() const {
  conf::UpstreamUrl url;
  url.port = port_;
  switch (kind_) {
    case Kind::Tcp:
      url.host = "127.0.0.1";
      break;
    case Kind::Tcp6:
      url.host = "[::1]";
      break;
    case Kind::Tls:
      url.kind = conf::UpstreamUrl::Kind::Https;
      url.host = "127.0.0.1";
      break;
    case Kind::Unix:
      url.kind = conf::UpstreamUrl::Kind::Unix;
      url.host = "localhost";
      url.socket_path = path_;
      break;
  }
  return url;
}

App::Play App::repeat(std::string answer) {
  return [answer = std::move(answer)](AppConnection& connection) {
    while (!connection.read_head().empty()) {
      if (!connection.send(answer)) return;
    }
  };
}

App::Play App::once(std::string answer) {
  return [answer = std::move(answer)](AppConnection& connection) {
    if (connection.read_head().empty()) return;
    connection.send(answer);
    connection.read_to_end();
  };
}

FullListener::FullListener(const char* at, std::uint16_t port)
    : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = inet_addr(at);
  address.sin_port = htons(port);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (fd_ < 0 || bind(fd_, generic, size) != 0 || listen(fd_, 0) != 0) {
    throw std::runtime_error("cannot listen");
  }
  getsockname(fd_, generic, &size);
  url.host = at;
  url.port = ntohs(address.sin_port);
  for (int& filler : fillers_) {
    filler = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(filler, generic, size);
  }
}

FullListener::~FullListener() {
  for (const int filler : fillers_) ::close(filler);
  ::close(fd_);
}

conf::UpstreamUrl closed_address() {
  const int fd = listen_loopback();
  conf::UpstreamUrl url;
  url.host = "127.0.0.1";
  url.port = port_of(fd);
  ::close(fd);
  return url;
}

std::string ok(std::string_view body) {
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: ";
  answer.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return answer;
}

}  // namespace weir::upstream::test
