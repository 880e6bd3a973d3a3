// Timers of one loop. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>

#include "base/net/event_loop.h"

struct event;

namespace weir {

// Calls back once, some time after start(). The callback may destroy the timer.
class Timer {
 public:
  Timer(EventLoop& loop, std::function<void()> callback);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // In `delay_ms` from now; replaces an earlier start.
  void start(std::int64_t delay_ms);
  void stop();
  bool active() const { return active_; }

 private:
  void fired();

  event* event_;
  std::function<void()> callback_;
  bool active_ = false;
};

// A deadline that moves all the time and seldom comes: moving it later is a store into a field, and
// the timer below looks again when it fires. What a connection needs on every request.
class Deadline {
 public:
  Deadline(EventLoop& loop, std::function<void()> callback);

  // At `at_ms` on the loop's clock.
  void set(std::int64_t at_ms);
  void clear() { at_ms_ = kNever; }
  bool is_set() const { return at_ms_ != kNever; }

 private:
  static constexpr std::int64_t kNever = INT64_MAX;
  void check();

  EventLoop& loop_;
  std::function<void()> callback_;
  std::int64_t at_ms_ = kNever;
  std::int64_t armed_ms_ = kNever;
  Timer timer_;
};

}  // namespace weir
