// One event loop per thread, over libevent. A connection, its transaction and its upstream transfer
// are born, live and die on one loop; post() is the only call that may come from elsewhere.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"

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
  const Clock& clock() const { return clock_; }
  event_base* base() const { return base_; }  // for base/net only

 private:
  class Wakeup;
  void run_posted();
  void run_local();

  const Clock& clock_;
  event_base* base_;
  std::atomic<std::thread::id> owner_;
  std::unique_ptr<Wakeup> wakeup_;
  event* local_event_;       // made active, never added: runs local_ later in the turn
  std::vector<Task> local_;  // loop thread only

  std::mutex mutex_;
  std::vector<Task> posted_;     // guarded by mutex_
  bool wakeup_pending_ = false;  // guarded by mutex_
  bool stopping_ = false;        // guarded by mutex_
};

// The version linked at run time.
const char* linked_libevent_version();

}  // namespace weir
