// Timers of one loop, by its clock. Loop thread only; they go before their loop does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/net/event_loop.h"

namespace weir {

// Calls back once, some time after start(): never before the loop's clock says so, and at the
// soonest behind the events of the next poll, also with no delay at all. Timers due at the same
// time fire in the order of their starts. The callback may start the timer again, or destroy it.
class Timer {
 public:
  Timer(EventLoop& loop, std::function<void()> callback);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // In `delay_ms` from now; replaces an earlier start.
  void start(std::int64_t delay_ms);
  // At `at_ms` on the loop's clock, or soon when that has passed; the same otherwise.
  void start_at(std::int64_t at_ms);
  void stop();
  bool active() const { return place_ != kNowhere; }

 private:
  friend class EventLoop;
  friend class TimerQueue;
  static constexpr std::size_t kNowhere = SIZE_MAX;
  void fire();

  EventLoop& loop_;
  std::function<void()> callback_;
  std::size_t place_ = kNowhere;  // the queue's own: where in its heap this timer is
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
