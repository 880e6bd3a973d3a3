#include "base/net/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.h"
#include "base/net/fd_event.h"
#include "base/net/unsent_allowance.h"

namespace weir {
namespace {

IoResult from_syscall(ssize_t result) {
  if (result > 0) return {IoStatus::Ok, static_cast<std::size_t>(result)};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {IoStatus::WouldBlock};
  return {errno == EPIPE ? IoStatus::Closed : IoStatus::Failed};
}

class PlainConnection final : public Connection, FdHandler {
 public:
  PlainConnection(EventLoop& loop, int fd) : loop_(loop), fd_(fd), event_(loop, fd, *this) {}
  ~PlainConnection() override {
    event_.want(false, false);
    close(fd_);
  }

  void set_handler(ConnectionHandler& handler) override { handler_ = &handler; }
  void want(bool read, bool write) override {
    WEIR_CHECK(handler_ != nullptr);
    event_.want(read, write);
  }
  PeerState peer_state() const override {
    pollfd peer{.fd = fd_, .events = POLLRDHUP, .revents = 0};
    if (poll(&peer, 1, 0) <= 0) return PeerState::Open;
    return (peer.revents & (POLLERR | POLLHUP)) != 0 ? PeerState::Gone : PeerState::Ended;
  }
  IoResult read(std::span<char> into) override {
    const ssize_t got = recv(fd_, into.data(), into.size(), 0);
    if (got == 0) return {IoStatus::Closed};
    return from_syscall(got);
  }
  IoResult write(std::span<const iovec> parts) override {
    // SIGPIPE is ignored process-wide, so a plain writev is enough.
    const IoResult result = from_syscall(writev(fd_, parts.data(), static_cast<int>(parts.size())));
    adjust_allowance(parts, result.bytes);
    return result;
  }
  void shutdown_write() override { shutdown(fd_, SHUT_WR); }
  void reset_on_close() override {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }

 private:
  void on_fd(bool readable, bool writable) override { handler_->on_ready(readable, writable); }
  void adjust_allowance(std::span<const iovec> parts, std::size_t taken) {
    std::size_t offered = 0;
    for (const iovec& part : parts) offered += part.iov_len;
    const int allowed = unsent_.after_write(offered, taken, [this] { return loop_.now_ms(); });
    if (allowed == 0) return;
    // Not every socket is TCP; where this fails, nothing is lost.
    setsockopt(fd_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &allowed, sizeof allowed);
  }

  EventLoop& loop_;
  const int fd_;
  ConnectionHandler* handler_ = nullptr;
  UnsentAllowance unsent_;
  FdEvent event_;
};

}  // namespace

std::unique_ptr<Connection> make_plain_connection(EventLoop& loop, int fd) {
  return std::make_unique<PlainConnection>(loop, fd);
}

}  // namespace weir
