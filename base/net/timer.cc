#include "base/net/timer.h"

#include <event2/event.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace weir {

Timer::Timer(EventLoop& loop, std::function<void()> callback)
    : event_(event_new(
          loop.base(), -1, 0,
          [](evutil_socket_t, short, void* self) { static_cast<Timer*>(self)->fired(); }, this)),
      callback_(std::move(callback)) {
  WEIR_CHECK(event_ != nullptr);
}

Timer::~Timer() {
  event_free(event_);
}

void Timer::start(std::int64_t delay_ms) {
  delay_ms = std::max<std::int64_t>(delay_ms, 0);
  const timeval delay{.tv_sec = delay_ms / 1000, .tv_usec = (delay_ms % 1000) * 1000};
  WEIR_CHECK(event_add(event_, &delay) == 0);
  active_ = true;
}

void Timer::stop() {
  if (!std::exchange(active_, false)) return;
  event_del(event_);
}

void Timer::fired() {
  active_ = false;
  // A copy: the callback may destroy this timer, and with it the function that is running.
  const std::function<void()> callback = callback_;
  callback();
}

Deadline::Deadline(EventLoop& loop, std::function<void()> callback)
    : loop_(loop), callback_(std::move(callback)), timer_(loop, [this] { check(); }) {}

void Deadline::set(std::int64_t at_ms) {
  at_ms_ = at_ms;
  if (at_ms_ < armed_ms_) {
    armed_ms_ = at_ms_;
    timer_.start(at_ms_ - loop_.now_ms());
  }
}

void Deadline::check() {
  armed_ms_ = kNever;
  if (at_ms_ == kNever) return;
  if (loop_.now_ms() < at_ms_) {
    set(at_ms_);
    return;
  }
  at_ms_ = kNever;
  const std::function<void()> callback = callback_;
  callback();
}

}  // namespace weir
