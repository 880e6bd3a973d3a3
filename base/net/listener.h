// Listening sockets, and a listener that accepts on one loop. Survives running out of descriptors:
// it sheds the connection it cannot serve and rests a moment instead of spinning.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/net/address.h"
#include "base/net/fd_event.h"
#include "base/net/timer.h"
#include "base/result.h"

namespace weir {

// An owned descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();

 private:
  int fd_ = -1;
};

// `count` sockets that listen on one address: TCP by SO_REUSEPORT, one queue each; a Unix socket's
// one queue shared by duplicates. Port 0 is resolved once, for all. Refused when somebody else
// listens there already, and a dead process' socket file is replaced.
struct Listening {
  SocketAddress address;  // with the real port
  std::vector<Fd> sockets;
};
Result<Listening> listen_on(const SocketAddress& address, std::size_t count);

class Listener final : public FdHandler {
 public:
  // Called on the loop with each accepted, non-blocking descriptor; it owns it.
  using Accept = std::function<void(Fd fd, const SocketAddress& peer)>;

  Listener(EventLoop& loop, Fd socket, Accept accept);
  ~Listener() override;

  // Takes what is queued and then stops accepting for good.
  void close_after_drain();

  void on_fd(bool readable, bool writable) override;

 private:
  bool accept_one();
  void shed_one();
  void warn_of_shortage();

  EventLoop& loop_;
  Fd socket_;
  Fd reserve_;  // given up for a moment when there are no descriptors left
  Accept accept_;
  FdEvent event_;
  Timer rest_;
  std::int64_t silent_until_ms_ = 0;
};

}  // namespace weir
