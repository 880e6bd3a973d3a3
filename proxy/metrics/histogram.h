// How long things took, counted by classes of duration: from 10 µs on each class is about twice as
// wide as the one before it.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "proxy/metrics/counter.h"

namespace weir::metrics {

// The longest duration of each class but the last, in microseconds.
inline constexpr std::array<std::int64_t, 21> kDurationBounds_us = {
    10,      20,        50,        100,       200,        500,        1'000,
    2'000,   5'000,     10'000,    20'000,    50'000,     100'000,    200'000,
    500'000, 1'000'000, 2'000'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000};
inline constexpr std::size_t kDurationClasses = kDurationBounds_us.size() + 1;

// Which class a duration is of. Those with the same number of binary digits are of one or two
// classes, the first of which stands in a table.
class DurationClasses {
 public:
  constexpr DurationClasses() {
    std::ranges::copy(kDurationBounds_us, longest_.begin());
    longest_.back() = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t digits = 1; digits < first_.size(); ++digits) {
      const std::uint64_t shortest = std::uint64_t{1} << (digits - 1);
      first_[digits] = first_[digits - 1];
      while (shortest > longest_[first_[digits]]) ++first_[digits];
    }
  }
  constexpr std::size_t of(std::uint64_t us) const {
    std::size_t at = first_[static_cast<std::size_t>(std::bit_width(us))];
    while (us > longest_[at]) ++at;
    return at;
  }

 private:
  std::array<std::uint64_t, kDurationClasses> longest_{};
  std::array<std::uint8_t, 65> first_{};  // by the number of binary digits
};
inline constexpr DurationClasses kClasses;

// What several histograms come to. A value.
struct Durations {
  std::array<std::uint64_t, kDurationClasses> classes{};  // each by itself, not added up
  std::uint64_t sum_us = 0;

  std::uint64_t count() const;
  // The duration that this share of them did not exceed (0.99: the 99th percentile), taken to be
  // spread evenly within a class. 0 where there is none.
  double quantile_us(double share) const;
};

// One thread counts, any thread reads.
class Histogram {
 public:
  void count(std::int64_t us) {
    const std::uint64_t duration = us > 0 ? static_cast<std::uint64_t>(us) : 0;
    classes_[kClasses.of(duration)].add();
    sum_us_.add(duration);
  }
  void add_to(Durations& sum) const;

 private:
  std::array<Counter, kDurationClasses> classes_;
  Counter sum_us_;
};

}  // namespace weir::metrics
