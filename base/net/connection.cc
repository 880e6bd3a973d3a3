#include "base/net/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/net/fd_event.h"
#include "base/net/listener.h"
#include "base/net/unsent_allowance.h"

namespace weir {
namespace {

std::size_t size_of(std::span<const iovec> parts) {
  std::size_t bytes = 0;
  for (const iovec& part : parts) bytes += part.iov_len;
  return bytes;
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
    adjust_allowance(size_of(parts), result.bytes);
    return result;
  }
  IoResult write_with_file(std::span<const iovec> parts, const FileRange& file) override {
    IoResult head;
    if (!parts.empty()) {
      head = write_before_more(parts);
      if (head.status != IoStatus::Ok || head.bytes < size_of(parts)) return head;
    }
    auto at = static_cast<off_t>(file.at);
    const ssize_t sent = sendfile(fd_, file.descriptor, &at, file.bytes);
    if (sent > 0) {
      adjust_allowance(file.bytes, static_cast<std::size_t>(sent));
      return {IoStatus::Ok, head.bytes + static_cast<std::size_t>(sent)};
    }
    if (head.bytes > 0) return head;  // what keeps it from going on is told at the next call
    if (sent == 0) return {IoStatus::Failed};  // the file ends before
    // Not every file system can.
    if (errno == EINVAL || errno == ENOSYS) return Connection::write_with_file({}, file);
    return from_syscall(sent);
  }
  std::string fault() const override { return std::strerror(error_); }
  void shutdown_write() override { shutdown(fd_, SHUT_WR); }
  void reset_on_close() override {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }

 private:
  void on_fd(bool readable, bool writable) override { handler_->on_ready(readable, writable); }
  IoResult from_syscall(ssize_t result) {
    if (result > 0) return {IoStatus::Ok, static_cast<std::size_t>(result)};
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {IoStatus::WouldBlock};
    error_ = errno;
    return {errno == EPIPE ? IoStatus::Closed : IoStatus::Failed};
  }
  // The kernel keeps a last small piece until more comes, so that it does not leave by itself.
  IoResult write_before_more(std::span<const iovec> parts) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data());
    message.msg_iovlen = parts.size();
    return from_syscall(sendmsg(fd_, &message, MSG_MORE));
  }
  void adjust_allowance(std::size_t offered, std::size_t taken) {
    const int allowed = unsent_.after_write(offered, taken, [this] { return loop_.now_ms(); });
    if (allowed == 0) return;
    // Not every socket is TCP; where this fails, nothing is lost.
    setsockopt(fd_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &allowed, sizeof allowed);
  }

  EventLoop& loop_;
  const int fd_;
  ConnectionHandler* handler_ = nullptr;
  int error_ = 0;  // errno of the last that failed
  UnsentAllowance unsent_;
  FdEvent event_;
};

}  // namespace

// For those that must see the bytes.
IoResult Connection::write_with_file(std::span<const iovec> parts, const FileRange& file) {
  if (!parts.empty()) return write(parts);
  std::array<char, 65536> bytes;
  const std::size_t wanted = std::min<std::uint64_t>(file.bytes, bytes.size());
  const ssize_t got = pread(file.descriptor, bytes.data(), wanted, static_cast<off_t>(file.at));
  if (got <= 0) return {IoStatus::Failed};
  const iovec part{bytes.data(), static_cast<std::size_t>(got)};
  return write(std::span(&part, 1));
}

Result<std::unique_ptr<Connection>> connect_to(EventLoop& loop, const SocketAddress& address) {
  Fd fd(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const bool begun =
      fd && (connect(fd.get(), address.get(), address.size()) == 0 || errno == EINPROGRESS);
  if (!begun) return fail(ErrorCode::System, address.text() + ": " + std::strerror(errno));
  if (address.family() != AF_UNIX) {
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  }
  return make_plain_connection(loop, fd.release());
}

std::unique_ptr<Connection> make_plain_connection(EventLoop& loop, int fd) {
  return std::make_unique<PlainConnection>(loop, fd);
}

}  // namespace weir
