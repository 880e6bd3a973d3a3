#include "base/net/fd_event.h"

#include <event2/event.h>

#include "base/check.h"

namespace weir {

FdEvent::FdEvent(EventLoop& loop, int fd, FdHandler& handler)
    : loop_(loop), fd_(fd), handler_(handler) {}

FdEvent::~FdEvent() {
  if (read_) event_free(read_);
  if (write_) event_free(write_);
}

void FdEvent::want(bool read, bool write) {
  set(read_, reading_, read, EV_READ);
  set(write_, writing_, write, EV_WRITE);
}

void FdEvent::set(event*& slot, bool& state, bool on, short what) {
  if (state == on) return;
  state = on;
  if (!on) {
    event_del(slot);
    return;
  }
  if (!slot) {
    slot = event_new(
        loop_.base(), fd_, static_cast<short>(what | EV_PERSIST),
        [](evutil_socket_t, short ready, void* self) {
          static_cast<FdEvent*>(self)->handler_.on_fd(ready & EV_READ, ready & EV_WRITE);
        },
        this);
    WEIR_CHECK(slot != nullptr);
  }
  WEIR_CHECK(event_add(slot, nullptr) == 0);
}

}  // namespace weir
