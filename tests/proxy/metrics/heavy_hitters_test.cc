#include "proxy/metrics/heavy_hitters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace weir::metrics {
namespace {

std::uint64_t count_of(const HeavyHitters& table, std::string_view key) {
  const auto items = table.items();
  const auto found = std::ranges::find(items, key, &HeavyHitters::Item::key);
  return found == items.end() ? 0 : found->count;
}

TEST(HeavyHitters, CountsExactlyWhileThereIsRoom) {
  HeavyHitters table(4, 16);
  for (const char* key : {"a", "b", "a", "c", "a", "b"}) table.count(key);
  EXPECT_EQ(count_of(table, "a"), 3U);
  EXPECT_EQ(count_of(table, "b"), 2U);
  EXPECT_EQ(count_of(table, "c"), 1U);
  for (const auto& item : table.items()) EXPECT_EQ(item.too_high, 0U);
}

TEST(HeavyHitters, ANewKeyTakesThePlaceOfTheRarest) {
  HeavyHitters table(2, 16);
  for (const char* key : {"a", "a", "b", "c"}) table.count(key);
  EXPECT_EQ(count_of(table, "a"), 2U);
  EXPECT_EQ(count_of(table, "b"), 0U);
  const auto items = table.items();
  const auto c = std::ranges::find(items, "c", &HeavyHitters::Item::key);
  ASSERT_NE(c, items.end());
  EXPECT_EQ(c->count, 2U);
  EXPECT_EQ(c->too_high, 1U);
}

TEST(HeavyHitters, OfALongKeyTheBeginningCounts) {
  HeavyHitters table(4, 3);
  table.count("abcd");
  table.count("abcx");
  EXPECT_EQ(count_of(table, "abc"), 2U);
}

TEST(HeavyHitters, MissesNobodyWhoIsFrequent) {
  // The algorithm's promise: no count is too low, none is too high by more than it says, and who
  // makes up more than one of `places` is there.
  constexpr std::size_t kPlaces = 20;
  constexpr int kAll = 20'000;
  HeavyHitters table(kPlaces, 16);
  std::map<std::string, std::uint64_t> truth;
  std::mt19937 random(7);
  std::geometric_distribution<int> skewed(0.05);
  for (int i = 0; i < kAll; ++i) {
    const std::string key = std::to_string(skewed(random));
    table.count(key);
    ++truth[key];
  }
  for (const auto& item : table.items()) {
    EXPECT_GE(item.count, truth[item.key]);
    EXPECT_LE(item.count - item.too_high, truth[item.key]);
  }
  for (const auto& [key, count] : truth) {
    if (count > kAll / kPlaces) {
      EXPECT_GT(count_of(table, key), 0U) << key;
    }
  }
}

}  // namespace
}  // namespace weir::metrics
