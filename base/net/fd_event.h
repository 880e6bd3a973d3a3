// Readiness of one file descriptor, level-triggered. Loop thread only. Does not own the descriptor;
// must be destroyed (or want nothing) before the descriptor is closed.
#pragma once

#include "base/net/event_loop.h"

struct event;

namespace weir {

// Who is told. A handler may destroy its FdEvent, and itself, inside the call.
class FdHandler {
 public:
  virtual ~FdHandler() = default;
  virtual void on_fd(bool readable, bool writable) = 0;
};

class FdEvent {
 public:
  FdEvent(EventLoop& loop, int fd, FdHandler& handler);
  ~FdEvent();
  FdEvent(const FdEvent&) = delete;
  FdEvent& operator=(const FdEvent&) = delete;

  // Changes what is waited for; costs a system call only when it differs from before.
  void want(bool read, bool write);

 private:
  void set(event*& slot, bool& state, bool on, short what);

  EventLoop& loop_;
  const int fd_;
  FdHandler& handler_;
  event* read_ = nullptr;
  event* write_ = nullptr;
  bool reading_ = false;
  bool writing_ = false;
};

}  // namespace weir
