// Lets clients whose flight has brought them nothing within limits.coalesce_wait go to the app a
// few at a time instead of all at once. If one of them meets a 5xx, the app's or Weir's own, that
// is the answer of all who still wait: the app is in no state to be asked by each in turn. Any
// thread; a leaf lock.
#pragma once

#include <algorithm>
#include <deque>
#include <mutex>

#include "base/check.h"
#include "base/ref_counted.h"
#include "proxy/flow/wake.h"
#include "proxy/policy/reason.h"

namespace weir::flow {

class Convoy : public RefCounted<Convoy> {
 public:
  struct Failure {
    int status = 0;  // 0: none
    policy::Refusal why;
  };

  // True: go (or ask for the failure). False: `waker` is used when it is its turn, and the place is
  // then taken for it.
  bool enter(const Waker& waker) {
    const std::lock_guard lock(mutex_);
    if (inside_ < kAtOnce || failure_.status != 0) {
      ++inside_;
      return true;
    }
    waiting_.push_back(waker);
    return false;
  }
  // Gives a place back, or gives up waiting for one.
  void leave(const Waker& waker) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find(waiting_.begin(), waiting_.end(), waker);
    if (found != waiting_.end()) {
      waiting_.erase(found);
      return;
    }
    if (waiting_.empty()) {
      WEIR_CHECK(inside_ > 0);
      --inside_;
      return;
    }
    waiting_.front().wake();
    waiting_.pop_front();
  }
  // Everybody who waits is woken, and finds it.
  void fail(Failure failure) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(failure);
    inside_ += static_cast<int>(waiting_.size());
    for (const Waker& waker : waiting_) waker.wake();
    waiting_.clear();
  }
  Failure failure() {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  static constexpr int kAtOnce = 4;

  std::mutex mutex_;
  std::deque<Waker> waiting_;  // guarded by mutex_
  int inside_ = 0;             // guarded by mutex_
  Failure failure_;            // guarded by mutex_
};

}  // namespace weir::flow
