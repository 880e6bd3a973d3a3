// How one loop tells a transaction of another loop that something it waits for has happened. The
// slot outlives both sides; the target is looked at on its own loop only, so a transaction that is
// gone is simply not woken.
#pragma once

#include "base/net/event_loop.h"
#include "base/ref_counted.h"

namespace weir::flow {

class Wakeable {
 public:
  virtual ~Wakeable() = default;
  virtual void wake() = 0;
};

class WakeSlot : public RefCounted<WakeSlot> {
 public:
  WakeSlot(EventLoop& loop, Wakeable& target) : loop_(loop), target_(&target) {}

  // Any thread. The target is called on its loop, later.
  void wake() {
    loop_.post([slot = Ref<WakeSlot>(this)] {
      if (slot->target_) slot->target_->wake();
    });
  }
  // The loop's thread only: no call comes after this.
  void forget() { target_ = nullptr; }

 private:
  EventLoop& loop_;
  Wakeable* target_;
};

}  // namespace weir::flow
