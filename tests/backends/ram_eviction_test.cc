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

}  // namespace
}  // namespace weir::backends::testing
