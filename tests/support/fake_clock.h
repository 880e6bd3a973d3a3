// A clock that stands still until the test moves it. Any thread may read and move it.
#pragma once

#include <atomic>
#include <cstdint>

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
  SinceBoot since_boot() const override {
    SinceBoot out;
    out.boot_id.fill(static_cast<char>(boots_.load(std::memory_order_relaxed)));
    out.ms = (now_us() - booted_us_.load(std::memory_order_relaxed)) / 1000;
    return out;
  }
  // The machine starts again. A clock that is used across it is that of the next process, whose
  // steady axis begins at its wall clock's time.
  void reboot() {
    boots_.fetch_add(1, std::memory_order_relaxed);
    now_us_.store(wall_us_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    booted_us_.store(now_us_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
  // Somebody sets the machine's wall clock: the steady axis does not move.
  void set_wall(std::int64_t ms) { wall_us_.store(ms * 1000, std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> now_us_;
  std::atomic<std::int64_t> wall_us_;
  std::atomic<std::int64_t> booted_us_{0};
  std::atomic<int> boots_{1};
};

}  // namespace weir::test
