#include "proxy/flow/purge_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <random>
#include <thread>
#include <vector>

#include "tests/proxy/flow/purge_kit.h"

namespace weir::flow {
namespace {

using enum PurgeVerdict;

constexpr std::uint64_t kUpper = std::uint64_t{1} << 63U;  // the second of two buckets
constexpr std::uint64_t kWays = PurgeTable::kWays;

// Marks that fill the first bucket: hashes 1 to 15 at positions 1 to 15.
void fill(PurgeTable& table, bool soft) {
  for (std::uint64_t i = 1; i <= kWays; ++i) table.mark(i, {i, soft});
}

TEST(PurgeTable, AFullBucketTellsItsMarksApart) {
  PurgeTable table(1);
  fill(table, false);
  for (std::uint64_t i = 1; i <= kWays; ++i) {
    EXPECT_EQ(table.check(i - 1, i), Dead);
    EXPECT_EQ(table.check(i, i), Alive);
  }
  EXPECT_EQ(table.check(0, kWays + 1), Alive);
  EXPECT_EQ(table.check(0, kUpper), Alive);
}

TEST(PurgeTable, OneMarkTooManyRaisesTheFloorOfItsBucket) {
  // The oldest went: what lies there and is older counts as marked, as hard as it was.
  for (const bool soft : {false, true}) {
    PurgeTable table(1);
    fill(table, soft);
    table.mark(100, {20, false});
    EXPECT_EQ(table.check(19, 100), Dead);
    EXPECT_EQ(table.check(0, 1), soft ? Stale : Dead) << "the mark that went";
    EXPECT_EQ(table.check(0, 777), soft ? Stale : Dead) << "a stranger";
    EXPECT_EQ(table.check(1, 777), Alive) << "a newer stranger";
    EXPECT_EQ(table.check(1, 2), soft ? Stale : Dead) << "the next one is still there";
    EXPECT_EQ(table.check(2, 2), Alive);
    EXPECT_EQ(table.check(0, kUpper), Alive) << "the other bucket";
  }
}

TEST(PurgeTable, ASoftFloorHidesNoHardOne) {
  PurgeTable table(1);
  table.mark(1, {1, false});
  for (std::uint64_t i = 2; i <= kWays; ++i) table.mark(i, {i, true});
  table.mark(100, {100, true});  // drops the hard one
  table.mark(101, {101, true});  // drops a soft one
  EXPECT_EQ(table.check(0, 777), Dead);
  EXPECT_EQ(table.check(1, 777), Stale);
  EXPECT_EQ(table.check(2, 777), Alive);
}

TEST(PurgeTable, AMarkOfAHashThatIsThereTakesNoRoom) {
  PurgeTable table(1);
  fill(table, false);
  for (std::uint64_t position = 20; position < 100; ++position) table.mark(7, {position, false});
  EXPECT_EQ(table.check(98, 7), Dead);
  EXPECT_EQ(table.check(0, 777), Alive);
}

TEST(PurgeTable, ARestoredMarkThatIsOlderThanAllIsAFloor) {
  PurgeTable table(1);
  for (std::uint64_t i = 1; i <= kWays; ++i) table.mark(i, {10 + i, false});
  table.mark(100, {5, false});
  EXPECT_EQ(table.check(4, 100), Dead);
  EXPECT_EQ(table.check(4, 777), Dead);
  EXPECT_EQ(table.check(5, 777), Alive);
  EXPECT_EQ(table.check(10, 1), Dead) << "nobody's place was taken";
}

TEST(PurgeTable, FloorsAreOfTheBucketOfTheirHash) {
  PurgeTable table(1);
  table.raise_floor(123, {3, true});
  EXPECT_EQ(table.check(2, 777), Stale);
  EXPECT_EQ(table.check(3, 777), Alive);
  EXPECT_EQ(table.check(2, kUpper), Alive);
}

TEST(PurgeTable, AgreesWithAListOfAllMarksWhileItsBucketsHoldThem) {
  // Random marks of few hashes: the table is that list, shorter.
  std::mt19937_64 random(1);
  for (int round = 0; round < 50; ++round) {
    PurgeTable table(2);
    std::vector<std::pair<std::uint64_t, PurgeStamp>> list;
    for (std::uint64_t position = 1; position <= 40; ++position) {
      const std::uint64_t hash = random() % 6 << 61U;
      list.emplace_back(hash, PurgeStamp(position, random() % 2 == 0));
      table.mark(hash, list.back().second);
    }
    for (std::uint64_t seq = 0; seq <= 40; ++seq) {
      for (std::uint64_t i = 0; i < 8; ++i) {
        PurgeVerdict expected = Alive;
        for (const auto& [hash, stamp] : list) {
          if (hash == i << 61U) expected = std::max(expected, stamp.verdict(seq));
        }
        EXPECT_EQ(table.check(seq, i << 61U), expected) << i << " at " << seq;
      }
    }
  }
}

TEST(PurgeTable, ManyMarksKillWhatIsOldAndNeverWhatIsNew) {
  // However many there are, each kills what it is about, and nobody's fetch that came behind all of
  // those that a table holds.
  PurgeTable table(4);
  std::mt19937_64 random(2);
  constexpr std::uint64_t kMarks = 5'000;
  std::vector<std::uint64_t> hashes;
  for (std::uint64_t position = 1; position <= kMarks; ++position) {
    hashes.push_back(random());
    table.mark(hashes.back(), {position, false});
  }
  for (std::uint64_t i = 0; i < kMarks; ++i) EXPECT_EQ(table.check(i, hashes[i]), Dead);
  for (int i = 0; i < 1'000; ++i) {
    const std::uint64_t other = random();
    EXPECT_EQ(table.check(0, other), Dead);
    EXPECT_EQ(table.check(kMarks - 100, other), Alive);
  }
}

TEST(PurgeTable, TellsAllThatItHolds) {
  // Told to another table, the same checks give the same answers, even to one of fewer buckets.
  PurgeTable table(4);
  std::mt19937_64 random(3);
  for (std::uint64_t position = 1; position <= 600; ++position) {
    table.mark(random(), {position, position % 3 == 0});
  }
  PurgeTable same(4);
  PurgeTable smaller(1);
  std::uint64_t told = 0;
  table.for_each([&](std::uint64_t hash, PurgeStamp stamp, bool is_floor) {
    for (PurgeTable* other : {&same, &smaller}) {
      if (is_floor) {
        other->raise_floor(hash, stamp);
      } else {
        other->mark(hash, stamp);
      }
    }
    ++told;
  });
  EXPECT_GE(told, 16 * kWays);
  random.seed(3);
  for (int i = 0; i < 1'000; ++i) {  // the marked ones first, then strangers
    const std::uint64_t hash = random();
    for (const std::uint64_t seq : {0U, 200U, 400U, 500U, 599U, 600U}) {
      EXPECT_EQ(same.check(seq, hash), table.check(seq, hash));
      EXPECT_GE(smaller.check(seq, hash), table.check(seq, hash));
    }
  }
}

TEST(PurgeTable, NoMarkIsMissedWhileOthersTakeItsPlace) {
  // One marks as fast as it can in two buckets; the others check what was marked before.
  constexpr std::uint64_t kMarks = 100'000;
  constexpr int kReaders = 3;
  PurgeTable table(1);
  std::atomic<std::uint64_t> position = 0;
  const auto hash_at = [](std::uint64_t at) { return at * 0x9e3779b97f4a7c15U; };
  std::latch begin(kReaders + 1);
  std::atomic<std::uint64_t> missed = 0;
  std::vector<std::jthread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&, i] {
      std::mt19937_64 random(static_cast<std::uint64_t>(i));
      begin.arrive_and_wait();
      for (std::uint64_t now = 0; now < kMarks;) {
        now = position.load(std::memory_order_acquire);
        if (now <= 2 * kWays) continue;
        const std::uint64_t at = now - 2 * kWays + random() % 8;  // those that are about to go
        if (table.check(at - 1, hash_at(at)) != Dead) ++missed;
      }
    });
  }
  begin.arrive_and_wait();
  for (std::uint64_t at = 1; at <= kMarks; ++at) {
    table.mark(hash_at(at), {at, false});
    position.store(at, std::memory_order_release);
  }
  readers.clear();
  EXPECT_EQ(missed, 0U);
}

}  // namespace
}  // namespace weir::flow
