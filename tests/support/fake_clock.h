// A clock that stands still until the test moves it. Any thread may read and move it.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace weir::test {

class FakeClock final : public Clock {
 public:
  // Both axes begin at the same time, somewhere in November 2023 at a whole second.
  explicit FakeClock(std::int64_t now_ms = 1'700'000'000'000)
      : now_us_(now_ms * 1000), wall_us_(now_ms * 1000) {}

  std::int64_t now_us() const override { return now_us_.load(std::memory_order_relaxed); }
  std::int64_t wall_ms() const override { return wall_us_.load(std::memory_order_relaxed) / 1000; }

  // Time goes by, on both axes. A loop does not notice by itself: see manual_loop.h.
  void advance(std::int64_t ms) { advance_us(ms * 1000); }
  void advance_us(std::int64_t us) {
    now_us_.fetch_add(us, std::memory_order_relaxed);
    wall_us_.fetch_add(us, std::memory_order_relaxed);
  }
  // Somebody sets the machine's wall clock: the steady axis does not move.
  void set_wall(std::int64_t ms) { wall_us_.store(ms * 1000, std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> now_us_;
  std::atomic<std::int64_t> wall_us_;
};

}  // namespace weir::test
