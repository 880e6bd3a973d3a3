#include "base/net/timer.h"

#include <algorithm>
#include <utility>

namespace weir {
namespace {

// Some thirty years: far enough for every configuration, and no sum overflows.
constexpr std::int64_t kLongest_ms = std::int64_t{1} << 40;
// The last time that counts in microseconds.
constexpr std::int64_t kLast_ms = INT64_MAX / 1000;

}  // namespace

Timer::Timer(EventLoop& loop, std::function<void()> callback)
    : loop_(loop), callback_(std::move(callback)) {}

Timer::~Timer() {
  stop();
}

void Timer::start(std::int64_t delay_ms) {
  delay_ms = std::clamp<std::int64_t>(delay_ms, 0, kLongest_ms);
  loop_.start_timer(*this, loop_.clock().now_us() + delay_ms * 1000);
}

void Timer::start_at(std::int64_t at_ms) {
  loop_.start_timer(*this, std::min(at_ms, kLast_ms) * 1000);
}

void Timer::stop() {
  if (active()) loop_.stop_timer(*this);
}

void Timer::fire() {
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
    timer_.start_at(at_ms_);
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
