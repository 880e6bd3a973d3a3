// Who stays and who goes when the RAM store is full.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "backends/ram/ram_backend.h"
#include "tests/conformance/entries.h"
#include "tests/conformance/look_up.h"

namespace weir::backends::testing {
namespace {

class RamEviction : public ::testing::Test {
 protected:
  RamEviction() : RamEviction({.max_size = size_for(200)}) {}
  explicit RamEviction(RamOptions options) : ram_(make_ram_backend(std::move(options))) {}

  static constexpr std::size_t kBody = 1000;
  static std::uint64_t size_for(int entries) {
    return entry_of_size(name("scan", 1), kBody)->charge() * static_cast<std::uint64_t>(entries);
  }
  // Of one length, so that all entries weigh the same.
  static std::string name(const char* kind, int number) {
    const std::string digits = std::to_string(number);
    return std::string(kind) + std::string(20 - digits.size(), '0') + digits;
  }
  // As the proxy does it: look up, on a miss store. Whether it was a hit.
  bool request(const std::string& key) {
    if (ram_.find(key)) return true;
    ram_.put(entry_of_size(key, kBody));
    return false;
  }
  bool has(const std::string& key) { return static_cast<bool>(ram_.find(key, Purpose::Probe)); }
  // Makes a set of 100 hot, and counts what is left of it.
  void warm_up() {
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < 100; ++i) request(name("warm", i));
    }
  }
  int survivors() {
    int found = 0;
    for (int i = 0; i < 100; ++i) found += has(name("warm", i));
    return found;
  }

  Attached ram_;
};

class RamEvictionByCount : public RamEviction {
 protected:
  RamEvictionByCount() : RamEviction({.max_size = 1024 * 1024 * 1024, .threshold = 200}) {}
};

TEST_F(RamEviction, AScanLeavesTheHotSet) {
  // A hot set of half the store, used a few times, survives one pass over ten times the store.
  warm_up();
  for (int i = 0; i < 2000; ++i) request(name("scan", i));
  EXPECT_EQ(survivors(), 100);
}

TEST_F(RamEviction, AScanAmongTrafficCostsNoHits) {
  // While the scan runs, requests for the hot set go on hitting.
  warm_up();
  int hits = 0;
  for (int i = 0; i < 2000; ++i) {
    request(name("scan", i));
    hits += request(name("warm", i % 100));
  }
  EXPECT_EQ(hits, 2000);
}

TEST_F(RamEviction, WhoComesBackIsKept) {
  // An entry evicted unused and asked for again soon is recognised, and then outlives a scan.
  request(name("back", 0));
  for (int i = 0; i < 250; ++i) request(name("scan", i));
  ASSERT_FALSE(has(name("back", 0)));
  request(name("back", 0));
  for (int i = 1000; i < 1400; ++i) request(name("scan", i));
  EXPECT_TRUE(has(name("back", 0)));
}

TEST_F(RamEviction, AnOldHotSetGivesWay) {
  // What was hot once and is used no more leaves for what is hot now.
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 180; ++i) request(name("past", i));
  }
  int hits = 0;
  for (int round = 0; round < 40; ++round) {
    hits = 0;
    for (int i = 0; i < 150; ++i) hits += request(name("warm", i));
  }
  EXPECT_EQ(hits, 150);
}

TEST_F(RamEviction, ProbesMakeNobodyHot) {
  // However often an entry is probed, it leaves as if nobody had asked.
  request(name("once", 0));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(has(name("once", 0)));
  for (int i = 0; i < 250; ++i) request(name("scan", i));
  EXPECT_FALSE(has(name("once", 0)));
}

TEST_F(RamEvictionByCount, TheSmallQueueIsATenthOfWhatIsStored) {
  // Where the count is what binds, the scan resistance is the same: the bytes stay far below
  // max_size.
  warm_up();
  for (int i = 0; i < 2000; ++i) request(name("scan", i));
  EXPECT_EQ(survivors(), 100);
}

// ---- other sizes while it is in use ----

class RamResizeTest : public RamEviction {
 protected:
  RamResizeTest() : RamEviction(RamOptions{.max_size = size_for(400)}) {}
  void resize(const RamOptions& options) {
    dynamic_cast<RamBackend&>(ram_.backend()).resize(options);
  }
  void fill(int count) {
    for (int i = 0; i < count; ++i) request(name("page", i));
  }
};

TEST_F(RamResizeTest, WhatIsTooMuchHasLeftWhenItReturns) {
  // And it goes on by the new size: the hot ones are those that stay.
  warm_up();
  fill(250);
  resize({.max_size = size_for(200)});
  EXPECT_LE(ram_.stats().bytes, size_for(200));
  EXPECT_GT(ram_.stats().objects, 150U);
  EXPECT_GE(survivors(), 95);
  fill(2000);
  EXPECT_LE(ram_.stats().bytes, size_for(200));
}

TEST_F(RamResizeTest, ALargerOneHoldsMore) {
  fill(390);
  resize({.max_size = size_for(4000)});
  EXPECT_EQ(ram_.stats().evictions, 0U);
  fill(3000);
  EXPECT_EQ(ram_.stats().objects, 3000U);
}

TEST_F(RamResizeTest, ByCountAndWithoutABoundOnIt) {
  fill(300);
  resize({.max_size = size_for(400), .threshold = 50});
  EXPECT_EQ(ram_.stats().objects, 50U);
  fill(300);
  EXPECT_EQ(ram_.stats().objects, 50U);
  resize({.max_size = size_for(400)});
  fill(300);
  EXPECT_GT(ram_.stats().objects, 290U);
}

TEST_F(RamResizeTest, TheLargestObjectAndTheDefaultTimeCountAtOnce) {
  resize({.max_size = size_for(400), .max_object_size = 10, .default_expire_s = 7});
  EXPECT_EQ(ram_.put(entry_of_size("large", 11)), StoreResult::TooLarge);
  EXPECT_EQ(ram_.put(entry_of_size("small", 10)), StoreResult::Stored);
  EXPECT_EQ(ram_.backend().default_expire_s(), 7);
}

TEST_F(RamResizeTest, WhatReadersHoldIsNotWaitedFor) {
  fill(300);
  std::vector<EntryRef> read;
  for (int i = 0; i < 300; ++i) read.push_back(ram_.find(name("page", i)));
  resize({.max_size = size_for(10)});
  EXPECT_EQ(ram_.put(entry_of_size("new", kBody)), StoreResult::NoRoom);
  read.clear();
  EXPECT_EQ(ram_.put(entry_of_size("new", kBody)), StoreResult::Stored);
  EXPECT_LE(ram_.stats().bytes, size_for(10));
}

}  // namespace
}  // namespace weir::backends::testing
