#include "backends/disk/index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>
#include <vector>

namespace weir::backends::disk {
namespace {

using State = Index::State;

Hash128 key(std::uint64_t n) {
  return {n * 0x9e3779b97f4a7c15, n * 0xc2b2ae3d27d4eb4f};
}
RecordPlace place(std::uint64_t n) {
  return {static_cast<std::uint32_t>(n % 1000), 64 + n * 8, 8 + n % 100 * 8};
}

TEST(IndexTest, FindsWhatWasPutLast) {
  Index index;
  EXPECT_EQ(index.find(key(1)), std::nullopt);
  EXPECT_EQ(index.put(key(1), place(1)), std::nullopt);
  EXPECT_EQ(index.find(key(1)), place(1));
  EXPECT_EQ(index.put(key(1), place(2)), place(1));
  EXPECT_EQ(index.find(key(1)), place(2));
  EXPECT_EQ(index.peek(key(1)), place(2));
  EXPECT_EQ(index.size(), 1U);
  EXPECT_EQ(index.erase(key(1)), place(2));
  EXPECT_EQ(index.erase(key(1)), std::nullopt);
  EXPECT_EQ(index.peek(key(1)), std::nullopt);
  EXPECT_EQ(index.size(), 0U);
}

TEST(IndexTest, HoldsTheLargestPlaces) {
  Index index;
  const RecordPlace largest{UINT32_MAX, RecordPlace::kMostAt - 8, RecordPlace::kMostAt - 8};
  index.put(key(1), largest);
  EXPECT_EQ(index.find(key(1)), largest);
}

TEST(IndexTest, KnowsWhetherARecordIsStillOfUse) {
  Index index;
  index.put(key(1), place(1));
  EXPECT_EQ(index.state(key(1), place(1)), State::Unused);
  index.peek(key(1));
  EXPECT_EQ(index.state(key(1), place(1)), State::Unused) << "to peek is no use";
  index.find(key(1));
  EXPECT_EQ(index.state(key(1), place(1)), State::Used);
  EXPECT_EQ(index.state(key(1), place(2)), State::Gone) << "it lies elsewhere";
  EXPECT_EQ(index.state(key(2), place(1)), State::Gone);
}

TEST(IndexTest, ACopyCountsOnlyWhileNothingNewerIsThere) {
  Index index;
  index.put(key(1), place(1));
  index.find(key(1));
  EXPECT_TRUE(index.move(key(1), place(1), place(5)));
  EXPECT_EQ(index.state(key(1), place(5)), State::Unused) << "it has to earn the next one";
  index.put(key(1), place(7));
  EXPECT_FALSE(index.move(key(1), place(5), place(8)));
  EXPECT_EQ(index.peek(key(1)), place(7));
  EXPECT_FALSE(index.erase_at(key(1), place(5)));
  EXPECT_TRUE(index.erase_at(key(1), place(7)));
  EXPECT_FALSE(index.move(key(1), place(7), place(8))) << "what has gone does not come back";
}

TEST(IndexTest, NeverLosesAKeyThroughTheErasureOfAnother) {
  // Against a plain map, with many keys of neighbouring homes: their tags differ in low bits only,
  // so that all of a shard's stand in one run.
  Index index;
  std::map<std::uint64_t, RecordPlace> model;
  std::mt19937 random(5);
  const auto near = [](std::uint64_t n) { return Hash128{UINT64_MAX - 40 + n, 0}; };
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t n = random() % 41;
    const RecordPlace where = place(random() % 5000);
    if (random() % 2 == 0) {
      index.put(near(n), where);
      model[n] = where;
    } else {
      const auto erased = index.erase(near(n));
      ASSERT_EQ(erased.has_value(), model.erase(n) == 1);
    }
    const std::uint64_t other = random() % 41;
    const auto expected = model.find(other);
    ASSERT_EQ(index.peek(near(other)),
              expected == model.end() ? std::nullopt : std::optional(expected->second));
  }
  EXPECT_EQ(index.size(), model.size());
}

TEST(IndexTest, CostsLittleWithManyObjects) {
  // These keys fill all shards alike, so that all tables grow at once: no others cost more.
  constexpr std::uint64_t kKeys = 1'000'000;
  Index index;
  for (std::uint64_t n = 0; n < kKeys; ++n) {
    index.put(key(n), place(n));
    if (n >= 2000 && n % 100 == 0) {
      ASSERT_LE(index.bytes(), index.size() * 37) << index.size();
    }
  }
  EXPECT_LE(index.bytes(), kKeys * 37);
  for (std::uint64_t n = 0; n < kKeys; ++n) ASSERT_EQ(index.peek(key(n)), place(n));
  index.clear();
  EXPECT_EQ(index.size(), 0U);
  EXPECT_EQ(index.find(key(1)), std::nullopt);
  EXPECT_LT(index.bytes(), 16'384U);
}

TEST(IndexTest, IsForAllThreads) {
  Index index;
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&index, t] {
      for (std::uint64_t n = 0; n < 20'000; ++n) {
        index.put(key(n * 4 + t), place(n));
        if (n % 3 == 0) index.erase(key(n * 4 + t));
        index.find(key(n));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(index.size(), 4 * (20'000 - 6667));
}

}  // namespace
}  // namespace weir::backends::disk
