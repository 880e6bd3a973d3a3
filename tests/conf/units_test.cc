#include "conf/units.h"

#include <gtest/gtest.h>

namespace weir::conf {
namespace {

TEST(Units, SizesHaveOneSpelling) {
  // A size is read in binary units or refused with the spelling that was meant.
  const struct {
    const char* text;
    std::uint64_t bytes;
  } good[] = {{"0", 0},
              {"512", 512},
              {"7B", 7},
              {"8KiB", 8192},
              {"64MiB", 67108864},
              {"10GiB", 10737418240},
              {"1TiB", 1ULL << 40}};
  for (const auto& row : good) {
    const auto size = parse_size(row.text);
    ASSERT_TRUE(size) << row.text;
    EXPECT_EQ(*size, row.bytes) << row.text;
  }
  const struct {
    const char* text;
    const char* message;
  } bad[] = {
      {"64 MBs", "\"64 MBs\" is not a size (try 64MiB)"},
      {"64MB", "\"64MB\" is not a size (try 64MiB)"},
      {"8k", "\"8k\" is not a size (try 8KiB)"},
      {"2 GiB", "\"2 GiB\" is not a size (try 2GiB)"},
      {"3 bytes", "\"3 bytes\" is not a size (try 3B)"},
      {"1.5GiB", "\"1.5GiB\" is not a size (try 64MiB)"},
      {"-1", "\"-1\" is not a size (try 64MiB)"},
      {"", "\"\" is not a size (try 64MiB)"},
      {"much", "\"much\" is not a size (try 64MiB)"},
      {"99999999999999TiB", "\"99999999999999TiB\" is too large (at most 16777215TiB)"},
  };
  for (const auto& row : bad) {
    const auto size = parse_size(row.text);
    ASSERT_FALSE(size) << row.text;
    EXPECT_EQ(size.error().message, row.message);
  }
}

TEST(Units, DurationsHaveOneSpelling) {
  // A duration without unit is seconds; others are refused with what was meant.
  const struct {
    const char* text;
    std::int64_t ms;
  } good[] = {{"0", 0},        {"30", 30'000},    {"30s", 30'000},    {"250ms", 250},
              {"5m", 300'000}, {"1h", 3'600'000}, {"7d", 604'800'000}};
  for (const auto& row : good) {
    const auto duration = parse_duration_ms(row.text);
    ASSERT_TRUE(duration) << row.text;
    EXPECT_EQ(*duration, row.ms) << row.text;
  }
  const struct {
    const char* text;
    const char* message;
  } bad[] = {
      {"5 minutes", "\"5 minutes\" is not a duration (try 5m)"},
      {"5min", "\"5min\" is not a duration (try 5m)"},
      {"10 Sec", "\"10 Sec\" is not a duration (try 10s)"},
      {"2w", "\"2w\" is not a duration (try 14d)"},
      {"3 months", "\"3 months\" is not a duration (try 30s; the units are ms, s, m, h and d)"},
      {"20 millis", "\"20 millis\" is not a duration (try 20ms)"},
      {"1h30m", "\"1h30m\" is not a duration (try 90m)"},
      {"-1", "\"-1\" is not a duration (try 30s; the units are ms, s, m, h and d)"},
      {"", "\"\" is not a duration (try 30s; the units are ms, s, m, h and d)"},
      {"30000d", "\"30000d\" is too long (at most 2147483647s)"},
      {"99999999999999999999",
       "\"99999999999999999999\" is not a duration (try 30s; the units are ms, s, m, h and d)"},
  };
  for (const auto& row : bad) {
    const auto duration = parse_duration_ms(row.text);
    ASSERT_FALSE(duration) << row.text;
    EXPECT_EQ(duration.error().message, row.message);
  }
}

TEST(Units, AreShownInTheLargestUnitThatFits) {
  // What is printed reads as a person would have written it.
  EXPECT_EQ(format_size(0), "0B");
  EXPECT_EQ(format_size(64 * 1024 * 1024), "64MiB");
  EXPECT_EQ(format_size(1280ULL * 1024 * 1024), "1280MiB");
  EXPECT_EQ(format_size((1ULL << 31) + 1), "2.0GiB");
  EXPECT_EQ(format_duration(0), "0s");
  EXPECT_EQ(format_duration(1), "1ms");
  EXPECT_EQ(format_duration(90'000), "90s");
  EXPECT_EQ(format_duration(86'400'000), "1d");
}

}  // namespace
}  // namespace weir::conf
