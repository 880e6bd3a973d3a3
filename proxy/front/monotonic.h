// Microseconds for the access log's durations, from an arbitrary beginning. Any thread.
#pragma once

#include <cstdint>
#include <ctime>

namespace weir::front {

inline std::int64_t monotonic_us() {
  timespec ts{};
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return std::int64_t{ts.tv_sec} * 1'000'000 + ts.tv_nsec / 1000;
}

}  // namespace weir::front
