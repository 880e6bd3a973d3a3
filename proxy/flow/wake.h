// How something that happened on any thread reaches the transaction, or the fill, that waits for it
// on a loop of its own. A Waker is good for one life (base/life.h): whoever stops waiting for
// something ends that life, so that late news of it is never taken for news of what is waited for
// next, and whoever is gone is simply not woken.
#pragma once

#include "base/life.h"
#include "base/net/event_loop.h"

namespace weir::flow {

class Wakeable {
 public:
  virtual ~Wakeable() = default;
  virtual void wake() = 0;
};

class Waker {
 public:
  Waker() = default;  // wakes nobody
  Waker(EventLoop& loop, Weak<Wakeable> target) : loop_(&loop), target_(std::move(target)) {}

  EventLoop* loop() const { return loop_; }  // null: it wakes nobody

  // Any thread. The target is called on its loop, later, if its wait is not over by then.
  void wake() const {
    if (!loop_) return;
    loop_->post([target = target_] {
      if (Wakeable* const waiting = target.get()) waiting->wake();
    });
  }
  explicit operator bool() const { return loop_ != nullptr; }
  // Of the same life.
  friend bool operator==(const Waker&, const Waker&) = default;

 private:
  EventLoop* loop_ = nullptr;
  Weak<Wakeable> target_;
};

}  // namespace weir::flow
