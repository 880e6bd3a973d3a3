#include "base/net/connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace weir {
namespace {

IoResult from_syscall(ssize_t result) {
  if (result > 0) return {IoStatus::Ok, static_cast<std::size_t>(result)};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {IoStatus::WouldBlock};
  return {errno == EPIPE ? IoStatus::Closed : IoStatus::Failed};
}

class PlainConnection final : public Connection {
 public:
  PlainConnection(EventLoop& loop, int fd, FdHandler& handler)
      : fd_(fd), event_(loop, fd, handler) {}
  ~PlainConnection() override {
    event_.want(false, false);
    close(fd_);
  }

  IoResult read(std::span<char> into) override {
    const ssize_t got = recv(fd_, into.data(), into.size(), 0);
    if (got == 0) return {IoStatus::Closed};
    return from_syscall(got);
  }
  IoResult write(std::span<const iovec> parts) override {
    // SIGPIPE is ignored process-wide, so a plain writev is enough.
    return from_syscall(writev(fd_, parts.data(), static_cast<int>(parts.size())));
  }
  void shutdown_write() override { shutdown(fd_, SHUT_WR); }
  void reset_on_close() override {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  FdEvent& event() override { return event_; }

 private:
  const int fd_;
  FdEvent event_;
};

}  // namespace

std::unique_ptr<Connection> make_plain_connection(EventLoop& loop, int fd, FdHandler& handler) {
  return std::make_unique<PlainConnection>(loop, fd, handler);
}

}  // namespace weir
