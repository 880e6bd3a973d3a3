// Keeps a failing medium from being asked again and again: after so many failures in a row it
// opens, and lets one attempt through from time to time until one succeeds. Times are milliseconds
// of the steady clock. Any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>

namespace weir::backends {

class Breaker {
 public:
  // Between two attempts while it is open: a second at first, so long at the most.
  explicit Breaker(std::int64_t longest_rest_ms = 10'000) : longest_rest_ms_(longest_rest_ms) {}

  // Whether to attempt it now. While it is open, true is said to one attempt at a time.
  bool allows(std::int64_t now_ms) {
    if (!open_.load(std::memory_order_relaxed)) return true;
    const std::lock_guard lock(mutex_);
    if (now_ms < probe_at_ms_) return false;
    back_off(now_ms);
    return true;
  }
  bool is_open() const { return open_.load(std::memory_order_relaxed); }

  // An attempt failed. True: it has just opened.
  bool failed(std::int64_t now_ms) {
    const std::lock_guard lock(mutex_);
    if (open_ || ++failures_ < kFailures) return false;
    open_ = true;
    rest_ms_ = kFirstRest_ms;
    probe_at_ms_ = now_ms + rest_ms_;
    return true;
  }
  // One succeeded. True: it was open until now.
  bool succeeded() {
    if (failures_.load(std::memory_order_relaxed) == 0) return false;
    const std::lock_guard lock(mutex_);
    failures_ = 0;
    return open_.exchange(false);
  }

 private:
  static constexpr int kFailures = 5;
  static constexpr std::int64_t kFirstRest_ms = 1'000;

  void back_off(std::int64_t now_ms) {
    rest_ms_ = std::min(2 * rest_ms_, longest_rest_ms_);
    probe_at_ms_ = now_ms + rest_ms_;
  }

  const std::int64_t longest_rest_ms_;
  std::mutex mutex_;
  std::atomic<bool> open_{false};  // written under mutex_
  std::atomic<int> failures_{0};   // the same; at least one while it is open
  std::int64_t rest_ms_ = 0;       // guarded by mutex_
  std::int64_t probe_at_ms_ = 0;
};

}  // namespace weir::backends
