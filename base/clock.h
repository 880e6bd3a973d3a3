// The time, behind a seam so that tests advance it by hand.
//
// Freshness, timers, deadlines and residence times are counted on the steady axis, which looks
// like Unix time but never jumps: the wall clock read once at start plus CLOCK_BOOTTIME since. A
// step of the wall clock can neither expire a cache nor make it immortal. Only what another
// machine or a person reads (Date, Expires, the access log's time) is told by the wall clock.
#pragma once

#include <cstdint>

namespace weir {

// Any thread may call these.
class Clock {
 public:
  virtual ~Clock() = default;

  // Microseconds on the steady axis; what durations are measured with.
  virtual std::int64_t now_us() const = 0;
  // Milliseconds since 1970 by the machine's wall clock, which may jump.
  virtual std::int64_t wall_ms() const = 0;

  // The same two axes in coarser units, rounded down.
  std::int64_t now_ms() const { return now_us() / 1000; }
  std::int64_t wall_s() const { return wall_ms() / 1000; }
};

// The machine's clock, one axis for the whole process.
const Clock& system_clock();

}  // namespace weir
