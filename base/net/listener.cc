#include "base/net/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "base/net/unsent_allowance.h"

namespace weir {
namespace {

constexpr int kBacklog = 4096;
// One turn of the loop takes so many new connections, so that accepting never starves serving.
constexpr int kAcceptsPerTurn = 64;
constexpr std::int64_t kRestMs = 100;
constexpr std::int64_t kQuietMs = 10'000;
// A peer that has vanished is noticed after about two minutes of silence.
constexpr int kKeepIdleSeconds = 60;
constexpr int kKeepIntervalSeconds = 15;
constexpr int kKeepProbes = 4;
constexpr int kUnsentBytes = UnsentAllowance::kNarrowBytes;

Fd reserve_descriptor() {
  return Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

std::unexpected<Error> system_failure(const SocketAddress& address, const char* what) {
  const int error = errno;
  const char* hint = error == EADDRINUSE
                         ? " (another program has it: choose another with --listen or listen:)"
                         : "";
  return fail(ErrorCode::System,
              fmt::format("cannot {} {}: {}{}", what, address.text(), std::strerror(error), hint));
}

Result<Fd> bind_socket(const SocketAddress& address, bool share_port) {
  Fd fd(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return system_failure(address, "open a socket for");
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (share_port) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (address.family() == AF_INET6) {
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (address.family() != AF_UNIX) {
    // Accepted sockets inherit these, which saves the calls for each connection.
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytes, sizeof kUnsentBytes);
    setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd.get(), IPPROTO_TCP, TCP_KEEPIDLE, &kKeepIdleSeconds, sizeof kKeepIdleSeconds);
    setsockopt(fd.get(), IPPROTO_TCP, TCP_KEEPINTVL, &kKeepIntervalSeconds,
               sizeof kKeepIntervalSeconds);
    setsockopt(fd.get(), IPPROTO_TCP, TCP_KEEPCNT, &kKeepProbes, sizeof kKeepProbes);
  }
  if (bind(fd.get(), address.get(), address.size()) != 0) return system_failure(address, "bind");
  if (listen(fd.get(), kBacklog) != 0) return system_failure(address, "listen on");
  return fd;
}

SocketAddress bound_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return SocketAddress::from(reinterpret_cast<sockaddr*>(&storage), size);
}

Result<Listening> listen_tcp(const SocketAddress& address, std::size_t count) {
  // SO_REUSEPORT would let a second process of this user take half of the connections without a
  // word, so a socket without it asks first whether the address is free.
  {
    Result<Fd> probe = bind_socket(address, false);
    if (!probe) return std::unexpected(probe.error());
  }
  Listening out;
  out.address = address;
  for (std::size_t i = 0; i < count; ++i) {
    Result<Fd> fd = bind_socket(out.address, true);
    if (!fd) return std::unexpected(fd.error());
    if (i == 0) out.address = bound_address(fd->get());
    out.sockets.push_back(std::move(*fd));
  }
  return out;
}

// Whether nobody answers behind this socket file.
bool is_dead_socket(const SocketAddress& address) {
  const auto* un = reinterpret_cast<const sockaddr_un*>(address.get());
  struct stat info{};
  if (lstat(un->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode)) return false;
  const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return connect(fd.get(), address.get(), address.size()) != 0 && errno == ECONNREFUSED;
}

Result<Listening> listen_unix(const SocketAddress& address, std::size_t count) {
  if (is_dead_socket(address)) {
    unlink(reinterpret_cast<const sockaddr_un*>(address.get())->sun_path);
  }
  Result<Fd> first = bind_socket(address, false);
  if (!first) return std::unexpected(first.error());
  Listening out;
  out.address = address;
  for (std::size_t i = 1; i < count; ++i) {
    Fd copy(fcntl(first->get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return system_failure(address, "share");
    out.sockets.push_back(std::move(copy));
  }
  out.sockets.push_back(std::move(*first));
  return out;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

int Fd::release() {
  return std::exchange(fd_, -1);
}

Result<Listening> listen_on(const SocketAddress& address, std::size_t count) {
  return address.family() == AF_UNIX ? listen_unix(address, count) : listen_tcp(address, count);
}

Listener::Listener(EventLoop& loop, Fd socket, Accept accept)
    : loop_(loop),
      socket_(std::move(socket)),
      reserve_(reserve_descriptor()),
      accept_(std::move(accept)),
      event_(loop, socket_.get(), *this),
      rest_(loop, [this] { event_.want(true, false); }) {
  event_.want(true, false);
}

Listener::~Listener() {
  event_.want(false, false);
}

void Listener::on_fd(bool, bool) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    if (!accept_one()) return;
  }
}

bool Listener::accept_one() {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  Fd fd(accept4(socket_.get(), reinterpret_cast<sockaddr*>(&peer), &size,
                SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd) {
    accept_(std::move(fd), SocketAddress::from(reinterpret_cast<sockaddr*>(&peer), size));
    return true;
  }
  if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
    warn_of_shortage();
    shed_one();
    event_.want(false, false);
    rest_.start(kRestMs);
    return false;
  }
  return errno == ECONNABORTED || errno == EINTR;
}

// Once in ten seconds is news enough: the log may be a pipe that somebody reads slowly.
void Listener::warn_of_shortage() {
  const std::int64_t now_ms = loop_.now_ms();
  if (now_ms < silent_until_ms_) return;
  silent_until_ms_ = now_ms + kQuietMs;
  log_warn("cannot accept connections: {}; resting {} ms at a time", std::strerror(errno), kRestMs);
}

void Listener::shed_one() {
  // The spare descriptor lets the oldest waiting client be told by a close rather than by silence.
  reserve_ = Fd();
  {
    const Fd shed(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  reserve_ = reserve_descriptor();
}

void Listener::close_after_drain() {
  rest_.stop();
  // Bounded: who keeps connecting must not keep the worker from ending.
  for (int i = 0; i < kBacklog && accept_one(); ++i) {
  }
  event_.want(false, false);
  rest_.stop();
  socket_ = Fd();
}

}  // namespace weir
