#include "proxy/metrics/histogram.h"

#include <gtest/gtest.h>

namespace weir::metrics {
namespace {

Durations of(std::initializer_list<std::int64_t> all_us) {
  Histogram histogram;
  for (const std::int64_t us : all_us) histogram.count(us);
  Durations sum;
  histogram.add_to(sum);
  return sum;
}

TEST(Histogram, ADurationIsOfTheClassThatItsBoundEnds) {
  const struct {
    std::int64_t us;
    std::size_t at;
  } rows[] = {{-5, 0}, {0, 0},  {10, 0},    {11, 1},          {20, 1},
              {21, 2}, {50, 2}, {1'000, 6}, {60'000'000, 20}, {60'000'001, 21}};
  for (const auto& row : rows) {
    const Durations sum = of({row.us});
    EXPECT_EQ(sum.classes[row.at], 1U) << row.us;
    EXPECT_EQ(sum.count(), 1U) << row.us;
    EXPECT_EQ(sum.sum_us, static_cast<std::uint64_t>(std::max<std::int64_t>(row.us, 0)));
  }
}

TEST(Histogram, EachBoundIsTheLastOfItsClass) {
  for (std::size_t i = 0; i < kDurationBounds_us.size(); ++i) {
    EXPECT_EQ(of({kDurationBounds_us[i]}).classes[i], 1U);
    EXPECT_EQ(of({kDurationBounds_us[i] + 1}).classes[i + 1], 1U);
  }
  EXPECT_EQ(of({std::numeric_limits<std::int64_t>::max()}).classes.back(), 1U);
}

TEST(Histogram, SeveralAddUp) {
  Histogram one;
  Histogram two;
  one.count(15);
  two.count(15);
  two.count(7);
  Durations sum;
  one.add_to(sum);
  two.add_to(sum);
  EXPECT_EQ(sum.classes[0], 1U);
  EXPECT_EQ(sum.classes[1], 2U);
  EXPECT_EQ(sum.sum_us, 37U);
}

TEST(Histogram, AQuantileLiesWithinItsClass) {
  // Spread evenly within a class: the middle one of those between 10 and 20 µs took 15.
  EXPECT_DOUBLE_EQ(of({}).quantile_us(0.5), 0);
  EXPECT_DOUBLE_EQ(of({12, 13, 14, 18}).quantile_us(0.5), 15);
  EXPECT_DOUBLE_EQ(of({12, 13, 14, 18}).quantile_us(1), 20);
  EXPECT_DOUBLE_EQ(of({5, 5, 5, 5, 5, 5, 5, 5, 5, 300}).quantile_us(0.9), 10);
  EXPECT_DOUBLE_EQ(of({5, 5, 5, 5, 5, 5, 5, 5, 5, 300}).quantile_us(1), 500);
  // The last class has no end: what is known is that it took more than that.
  EXPECT_DOUBLE_EQ(of({90'000'000}).quantile_us(0.5), 60'000'000);
}

}  // namespace
}  // namespace weir::metrics
