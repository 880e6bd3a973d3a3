// The time, behind a seam so that tests advance it by hand.
//
// Freshness, timers, deadlines and residence times are counted on the steady axis, which looks
// like Unix time but never jumps: the wall clock read once at start plus CLOCK_BOOTTIME since. A
// step of the wall clock can neither expire a cache nor make it immortal. Only what another
// machine or a person reads (Date, Expires, the access log's time) is told by the wall clock.
#pragma once

#include <array>
#include <cstdint>

namespace weir {

// Which start of the machine this is, all zero where nobody knows, and how long ago it was,
// time that it slept included. What is written down and read by another process is dated by this.
struct SinceBoot {
  std::array<char, 16> boot_id{};
  std::int64_t ms = 0;
};

// Any thread may call these.
class Clock {
 public:
  virtual ~Clock() = default;

  // Microseconds on the steady axis; what durations are measured with.
  virtual std::int64_t now_us() const = 0;
  // Milliseconds since 1970 by the machine's wall clock, which may jump.
  virtual std::int64_t wall_ms() const = 0;
  // Goes exactly as the steady axis does.
  virtual SinceBoot since_boot() const = 0;

  // The same two axes in coarser units, rounded down.
  std::int64_t now_ms() const { return now_us() / 1000; }
  std::int64_t wall_s() const { return wall_ms() / 1000; }
};

// The machine's clock, one axis for the whole process.
const Clock& system_clock();

}  // namespace weir
