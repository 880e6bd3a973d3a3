#include "base/net/event_loop.h"

#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/net/fd_event.h"
#include "base/net/timer.h"

namespace weir {

// An eventfd that carries the news of posted tasks into the loop.
class EventLoop::Wakeup final : public FdHandler {
 public:
  explicit Wakeup(EventLoop& loop)
      : loop_(loop), fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), event_(loop, fd_, *this) {
    WEIR_CHECK(fd_ >= 0);
    event_.want(true, false);
  }
  ~Wakeup() override {
    event_.want(false, false);
    close(fd_);
  }
  void signal() const {
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the loop is awake anyway.
    [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof one);
  }
  void on_fd(bool, bool) override {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(fd_, &count, sizeof count);
    loop_.run_posted();
  }

 private:
  EventLoop& loop_;
  int fd_;
  FdEvent event_;
};

EventLoop::EventLoop(const Clock& clock) : clock_(clock) {
  event_config* config = event_config_new();
  WEIR_CHECK(config != nullptr);
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  base_ = event_base_new_with_config(config);
  event_config_free(config);
  WEIR_CHECK(base_ != nullptr);
  local_event_ = event_new(
      base_, -1, 0,
      [](evutil_socket_t, short, void* self) { static_cast<EventLoop*>(self)->run_local(); }, this);
  WEIR_CHECK(local_event_ != nullptr);
  timer_event_ = event_new(
      base_, -1, 0,
      [](evutil_socket_t, short, void* self) { static_cast<EventLoop*>(self)->run_timers(); },
      this);
  WEIR_CHECK(timer_event_ != nullptr);
  wakeup_ = std::make_unique<Wakeup>(*this);
}

EventLoop::~EventLoop() {
  posted_.clear();
  local_.clear();
  WEIR_CHECK(timers_.empty());
  event_free(timer_event_);
  event_free(local_event_);
  wakeup_.reset();
  event_base_free(base_);
}

void EventLoop::run() {
  while (!stopped_) turn_once(EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
  stopped_ = false;
}

void EventLoop::turn() {
  timer_event_us_ = TimerQueue::kNever;  // set again: the clock may have been moved by hand
  look_at_timers_by(timers_.next_us());
  turn_once(EVLOOP_ONCE | EVLOOP_NONBLOCK | EVLOOP_NO_EXIT_ON_EMPTY);
}

// One poll at a time and not event_base_dispatch(), so that it is known which timers were started
// since the poll: they wait for the next one. EVLOOP_ONCE returns when something has run.
void EventLoop::turn_once(int flags) {
  owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  timers_.begin_turn();
  turn_us_ = kUnread;
  WEIR_CHECK(event_base_loop(base_, flags) != -1);  // also when called within a turn
  turn_us_ = kUnread;
}

void EventLoop::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  if (!std::exchange(wakeup_pending_, true)) wakeup_->signal();
}

void EventLoop::post(Task task) {
  if (in_loop()) {
    if (local_.empty()) event_active(local_event_, EV_TIMEOUT, 1);
    local_.push_back(std::move(task));
    return;
  }
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(task));
  if (!std::exchange(wakeup_pending_, true)) wakeup_->signal();
}

void EventLoop::run_posted() {
  std::vector<Task> tasks;
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
    wakeup_pending_ = false;
    stopping = std::exchange(stopping_, false);
  }
  for (Task& task : tasks) task();
  if (!stopping) return;
  stopped_ = true;
  event_base_loopbreak(base_);
}

void EventLoop::run_local() {
  std::vector<Task> tasks;
  tasks.swap(local_);
  for (Task& task : tasks) task();
  tasks.clear();
  if (local_.empty()) local_.swap(tasks);  // keeps the capacity: no allocation next time
}

void EventLoop::start_timer(Timer& timer, std::int64_t due_us) {
  check_in_loop();
  timers_.start(timer, due_us);
  if (!running_timers_) look_at_timers_by(due_us);
}

void EventLoop::stop_timer(Timer& timer) {
  timers_.stop(timer);
}

// libevent's clock is a coarse one, and not the loop's: its timer is only what ends the poll. Where
// it comes too early, what is left is waited for again.
void EventLoop::run_timers() {
  timer_event_us_ = TimerQueue::kNever;
  running_timers_ = true;
  const std::int64_t now_us = clock_.now_us();
  while (Timer* const timer = timers_.take_due(now_us)) timer->fire();
  running_timers_ = false;
  look_at_timers_by(timers_.next_us());
}

// What is due goes before an event that is set for a time gone by, but has not come yet: that one
// may wait for the coarse clock.
void EventLoop::look_at_timers_by(std::int64_t due_us) {
  if (due_us == TimerQueue::kNever || timer_event_us_ == kAtOnce) return;
  const std::int64_t wait_us = std::max<std::int64_t>(due_us - clock_.now_us(), 0);
  if (wait_us == 0) due_us = kAtOnce;
  if (due_us >= timer_event_us_) return;
  timer_event_us_ = due_us;
  const timeval wait{.tv_sec = wait_us / 1'000'000, .tv_usec = wait_us % 1'000'000};
  WEIR_CHECK(event_add(timer_event_, &wait) == 0);
}

void EventLoop::check_in_loop() const {
  const std::thread::id owner = owner_.load(std::memory_order_relaxed);
  WEIR_CHECK(owner == std::thread::id() || owner == std::this_thread::get_id());
}

const char* linked_libevent_version() {
  return event_get_version();
}

}  // namespace weir
