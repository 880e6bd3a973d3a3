// The time, behind a seam so that tests advance it by hand.
//
// Freshness, timers and residence times are counted on `now_ms`, an axis that looks like Unix time
// but never jumps: the wall clock read once at start plus CLOCK_BOOTTIME since. A step of the wall
// clock can neither expire a cache nor make it immortal. Only what is compared with another
// machine's clock (Date, Expires) uses `wall_s`.
#pragma once

#include <cstdint>

namespace weir {

// Any thread may call these.
class Clock {
 public:
  virtual ~Clock() = default;

  // Milliseconds on the steady axis.
  virtual std::int64_t now_ms() const = 0;
  // Seconds since 1970 by the machine's wall clock, which may jump.
  virtual std::int64_t wall_s() const = 0;
};

// The machine's clock, one axis for the whole process.
const Clock& system_clock();

}  // namespace weir
