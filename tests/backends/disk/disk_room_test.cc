// How much a disk backend takes of the disk, and what goes first.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/backends/disk/disk_kit.h"

namespace weir::backends::testing {
namespace {

using Maybe = std::optional<std::string>;

class DiskRoomTest : public ::testing::Test, protected DiskKit {};

TEST_F(DiskRoomTest, NeverTakesMoreThanMaxSize) {
  // Files and all, whatever is written; the newest objects are there, the oldest are not.
  options.max_size = 1024 * 1024;
  options.max_object_size = 64 * 1024;
  open();
  std::mt19937 random(7);
  std::uint64_t most = 0;
  for (int i = 0; i < 400; ++i) {
    const std::string body(random() % 20'000, static_cast<char>('a' + i % 26));
    ASSERT_EQ(put("key" + std::to_string(i), body), StoreResult::Stored) << i;
    most = std::max(most, bytes_on_disk());
    ASSERT_LE(most, options.max_size) << i;
    ASSERT_EQ(body_at("key" + std::to_string(i)), Maybe(body));
  }
  EXPECT_GT(most, options.max_size * 8 / 10);
  EXPECT_EQ(body_at("key0"), std::nullopt);
  const BackendStats stats = at().stats();
  EXPECT_GT(stats.evictions, 100U);
  EXPECT_EQ(stats.objects + stats.evictions, 400U);
  restart();
  wait_for_objects(stats.objects);
  EXPECT_TRUE(body_at("key399"));
}

TEST_F(DiskRoomTest, LeavesRoomForWhatLiesBesideTheSegments) {
  // For itself at once, and for what is kept free by others: also where it was full before.
  options.max_size = 1024 * 1024;
  open();
  for (int i = 0; i < 100; ++i) put("key" + std::to_string(i), std::string(20'000, 'x'));
  EXPECT_GT(bytes_on_disk(), 800'000U);
  keep_free(400'000);
  wait_for_writes();
  EXPECT_LE(bytes_on_disk(), options.max_size - 400'000);
  for (int i = 0; i < 100; ++i) {
    put("key" + std::to_string(i), std::string(20'000, 'x'));
    ASSERT_LE(bytes_on_disk(), options.max_size - 400'000);
  }
  EXPECT_EQ(body_at("key99"), Maybe(std::string(20'000, 'x')));
  keep_free(options.max_size);
  wait_for_writes();
  EXPECT_LE(bytes_on_disk(), 1024U) << "nothing is stored while there is no room for it";
  keep_free(0);
  clock.advance(1'000);
  EXPECT_EQ(put("later", "x"), StoreResult::Stored);
  const auto kept = keep_free;
  close();
  kept(1);
}

TEST_F(DiskRoomTest, KeepsWhatIsUsed) {
  // An object that is asked for again and again outlives many times max_size of others.
  options.max_size = 1024 * 1024;
  options.max_object_size = 64 * 1024;
  open();
  put("hot", "warm");
  for (int i = 0; i < 600; ++i) {
    put("cold" + std::to_string(i), std::string(10'000, 'x'));
    ASSERT_EQ(body_at("hot"), Maybe("warm")) << i;
  }
  EXPECT_EQ(body_at("cold0"), std::nullopt);
}

TEST_F(DiskRoomTest, AReaderKeepsTheRoomOfWhatHeReads) {
  // His segment has gone from the folder; its bytes count until he has gone as well.
  options.max_size = 1024 * 1024;
  disk.set_resident(false);
  open();
  put("read", std::string(60'000, 'r'));
  std::atomic<bool> held{true};
  std::atomic<int> reads{0};
  disk.fails([&](std::string_view operation, std::string_view) -> std::optional<Error> {
    if (operation == "read" && reads.fetch_add(1) == 0) {
      while (held) std::this_thread::yield();
    }
    return std::nullopt;
  });
  RecordingWaiter waiter;
  const Lookup look = at().store().lookup(key_of("read"), Purpose::Serve, waiter);
  ASSERT_EQ(look.status, Lookup::Status::Pending);
  for (int i = 0; i < 60; ++i) {
    put("other" + std::to_string(i), std::string(60'000, 'x'));
    ASSERT_LE(bytes_on_disk(), options.max_size - 60'000);
  }
  held = false;
  while (waiter.answers == 0) turn(at().loop());
  ASSERT_TRUE(waiter.entry);
  EXPECT_EQ(text_of(*waiter.entry), std::string(60'000, 'r'));
  disk.fails(nullptr);
  // Then it is given back, also where nothing more is written.
  const std::uint64_t with_it = at().stats().bytes;
  clock.advance(1'000);
  EXPECT_FALSE(at().find("another"));
  while (at().stats().bytes == with_it) std::this_thread::yield();
  EXPECT_LT(at().stats().bytes, with_it);
}

TEST_F(DiskRoomTest, ASlowMediumMakesNobodyHoldMoreThanMaxSize) {
  // Segments are sealed faster than the medium takes them: those that had to leave meanwhile are
  // closed, and nobody waits for them.
  options.max_size = 1024 * 1024;
  open();
  auto held = std::make_shared<std::atomic<bool>>(true);
  disk.fails([held](std::string_view operation, std::string_view name) -> std::optional<Error> {
    while (operation == "sync" && name.ends_with(".seg") && *held) std::this_thread::yield();
    return std::nullopt;
  });
  std::uint64_t most = 0;
  int stored = 0;
  for (int i = 0; i < 200; ++i) {
    if (put("key" + std::to_string(i), std::string(60'000, 'x')) == StoreResult::Stored) ++stored;
    most = std::max(most, bytes_on_disk() + disk.size_of_nameless());
  }
  EXPECT_EQ(stored, 200);
  EXPECT_LE(most, options.max_size);
  disk.take_calls();
  *held = false;
  close();
  EXPECT_LE(disk.take_calls()["sync"], 40) << "what is gone is not waited for";
}

TEST_F(DiskRoomTest, SlowReadersDoNotDriveOutEverythingElse) {
  // They hold what has left the folder. To remove still more would make no room: nothing is
  // written until they have gone.
  options.max_size = 1024 * 1024;
  open();
  std::vector<EntryRef> read;
  for (const char* key : {"large1", "large2"}) {
    ASSERT_EQ(put(key, std::string(300'000, 'l')), StoreResult::Stored);
    read.push_back(at().find(key));
    ASSERT_TRUE(read.back() && read.back()->far_body());
  }
  for (int i = 0; i < 5; ++i) put("small" + std::to_string(i), std::string(40'000, 's'));
  StoreResult last = StoreResult::Stored;
  for (int i = 0; i < 20; ++i) last = put("other" + std::to_string(i), std::string(60'000, 'o'));
  EXPECT_EQ(last, StoreResult::Failed);
  EXPECT_LE(bytes_on_disk() + disk.size_of_nameless(), options.max_size);
  for (int i = 1; i < 5; ++i) EXPECT_TRUE(body_at("small" + std::to_string(i))) << i;
  read.clear();
  clock.advance(1'000);
  EXPECT_EQ(put("again", std::string(60'000, 'a')), StoreResult::Stored);
}

class DiskThreshold : public ::testing::TestWithParam<std::uint64_t>, protected DiskKit {};
INSTANTIATE_TEST_SUITE_P(Counts, DiskThreshold, ::testing::Values(1, 2, 15, 16, 100));

TEST_P(DiskThreshold, BoundsTheObjects) {
  options.threshold = GetParam();
  open();
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(put("key" + std::to_string(i), "x"), StoreResult::Stored);
    ASSERT_LE(at().stats().objects, GetParam()) << i;
    ASSERT_TRUE(body_at("key" + std::to_string(i))) << i;
  }
  EXPECT_GE(at().stats().objects, GetParam() / 2);
}

TEST_P(DiskThreshold, BoundsThoseThatAreWrittenTogetherAsWell) {
  // They came while the medium was slow. What is counted is there.
  options.threshold = GetParam();
  open();
  std::atomic<bool> held{true};
  disk.fails([&](std::string_view operation, std::string_view) -> std::optional<Error> {
    while (operation == "create" && held) std::this_thread::yield();
    return std::nullopt;
  });
  constexpr int kKeys = 300;
  std::vector<RecordingStoreWaiter> waiters(kKeys);
  std::vector<Storing> storing;
  for (int i = 0; i < kKeys; ++i) {
    storing.push_back(at().store().store(entry_of("key" + std::to_string(i), "x"), nullptr, {},
                                         waiters[static_cast<std::size_t>(i)]));
  }
  held = false;
  for (const RecordingStoreWaiter& waiter : waiters) {
    while (waiter.answers == 0) turn(at().loop());
  }
  disk.fails(nullptr);
  const std::uint64_t objects = at().stats().objects;
  EXPECT_LE(objects, GetParam());
  std::uint64_t found = 0;
  for (int i = 0; i < kKeys; ++i) found += body_at("key" + std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(found, objects);
  EXPECT_TRUE(body_at("key" + std::to_string(kKeys - 1)));
}

TEST_F(DiskRoomTest, LeavesOthersTheirShare) {
  // Below min_free the oldest go, then nothing is written; and when there is room again, it is.
  options.min_free_bytes = 10'000'000;
  disk.set_free(10'500'000);
  open();
  EXPECT_EQ(put("a", "1"), StoreResult::Stored);
  disk.set_free(9'000'000);
  restart();
  EXPECT_EQ(put("b", "2"), StoreResult::Failed);
  EXPECT_EQ(body_at("b"), std::nullopt);
  EXPECT_EQ(at().store().admit(1).error(), StoreResult::Failed) << "nobody is promised anything";
  disk.set_free(100'000'000);
  clock.advance(1'000);
  EXPECT_EQ(put("b", "3"), StoreResult::Stored);
  EXPECT_EQ(body_at("b"), Maybe("3"));
}

TEST_F(DiskRoomTest, ShrinksAndGrowsWhileItIsInUse) {
  // By whole segments, the newest objects stay, and no more is written than there is room for.
  options.max_size = 16 * 1024 * 1024;
  open();
  for (int i = 0; i < 400; ++i) put("key" + std::to_string(i), std::string(20'000, 'x'));
  EXPECT_GT(bytes_on_disk(), 8'000'000U);
  DiskOptions smaller = options;
  smaller.max_size = 1024 * 1024;
  smaller.default_expire_s = 7;
  resize(smaller);
  wait_for_writes();
  EXPECT_LE(bytes_on_disk(), smaller.max_size);
  EXPECT_EQ(at().backend().default_expire_s(), 7);
  EXPECT_EQ(body_at("key0"), std::nullopt);
  for (int i = 0; i < 100; ++i) {
    put("new" + std::to_string(i), std::string(20'000, 'y'));
    ASSERT_LE(bytes_on_disk(), smaller.max_size);
  }
  EXPECT_EQ(body_at("new99"), Maybe(std::string(20'000, 'y')));
  const std::uint64_t before = at().stats().objects;
  resize(options);
  for (int i = 0; i < 100; ++i) put("more" + std::to_string(i), std::string(20'000, 'z'));
  EXPECT_EQ(at().stats().objects, before + 100);
  restart();
  wait_for_objects(before + 100);
  EXPECT_EQ(body_at("more0"), Maybe(std::string(20'000, 'z')));
}

TEST_F(DiskRoomTest, AnotherMostOfObjectsCountsWhileItIsInUse) {
  open();
  for (int i = 0; i < 200; ++i) put("key" + std::to_string(i), "x");
  DiskOptions fewer = options;
  fewer.threshold = 32;
  fewer.max_object_size = 10;
  resize(fewer);
  wait_for_writes();
  EXPECT_LE(at().stats().objects, 32U);
  EXPECT_EQ(put("large", std::string(11, 'x')), StoreResult::TooLarge);
}

}  // namespace
}  // namespace weir::backends::testing
