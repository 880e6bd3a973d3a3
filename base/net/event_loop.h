// One event loop per thread, over libevent. A connection, its transaction and its upstream transfer
// are born, live and die on one loop; post() is the only call that may come from elsewhere.
//
// The loop goes in turns: it polls, runs what the poll has found ready, then the timers that are
// due by its clock, and with both the tasks that were posted.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/net/timer_queue.h"

struct event;
struct event_base;

namespace weir {

class FdEvent;

class EventLoop {
 public:
  using Task = std::move_only_function<void()>;

  explicit EventLoop(const Clock& clock = system_clock());
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs on the calling thread, which becomes the loop's own, until stop().
  void run();
  // One turn without waiting: what is ready now, and timers that are due by the clock. What a loop
  // is driven with by hand, above all one whose clock is moved by hand: run() would wait in real
  // time for what its clock may never reach.
  void turn();
  // Safe to call from other threads. Tasks posted before it still run.
  void stop();
  // Safe to call from other threads. Tasks of one thread run in order, on the loop, never inside
  // the caller. From the loop itself it costs no system call and the task runs in this same turn.
  void post(Task task);

  bool in_loop() const {
    return owner_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }
  // Aborts when called from another thread than the loop's (or before run(): then any is fine).
  void check_in_loop() const;

  std::int64_t now_ms() const { return clock_.now_ms(); }
  // When this turn began, as far as anybody asked: the first who asks reads the clock for all who
  // come after him in the same turn.
  std::int64_t turn_us() {
    if (turn_us_ == kUnread) turn_us_ = clock_.now_us();
    return turn_us_;
  }
  const Clock& clock() const { return clock_; }
  // When the first timer is due on the clock's steady axis; TimerQueue::kNever when none runs.
  std::int64_t next_timer_us() const { return timers_.next_us(); }
  event_base* base() const { return base_; }  // for base/net only

 private:
  friend class Timer;
  class Wakeup;
  void start_timer(Timer& timer, std::int64_t due_us);
  void stop_timer(Timer& timer);
  void turn_once(int flags);
  void run_posted();
  void run_local();
  void run_timers();
  void look_at_timers_by(std::int64_t due_us);

  const Clock& clock_;
  event_base* base_;
  std::atomic<std::thread::id> owner_;
  std::unique_ptr<Wakeup> wakeup_;
  bool stopped_ = false;
  static constexpr std::int64_t kUnread = INT64_MIN;
  std::int64_t turn_us_ = kUnread;
  event* local_event_;       // made active, never added: runs local_ later in the turn
  std::vector<Task> local_;  // loop thread only

  TimerQueue timers_;
  event* timer_event_;  // runs timers_
  // What timer_event_ is set for, or kAtOnce: the next poll. No later than the first timer is due,
  // though perhaps earlier: stopping a timer does not touch the event.
  static constexpr std::int64_t kAtOnce = INT64_MIN;
  std::int64_t timer_event_us_ = TimerQueue::kNever;
  bool running_timers_ = false;

  std::mutex mutex_;
  std::vector<Task> posted_;     // guarded by mutex_
  bool wakeup_pending_ = false;  // guarded by mutex_
  bool stopping_ = false;        // guarded by mutex_
};

// The version linked at run time.
const char* linked_libevent_version();

}  // namespace weir
