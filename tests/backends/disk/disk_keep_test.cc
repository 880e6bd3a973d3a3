// What of a segment outlives it: used objects are written anew when it goes.
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "backends/disk/cache_folder.h"
#include "backends/disk/segment_reader.h"
#include "tests/backends/disk/large_kit.h"

namespace weir::backends::testing {
namespace {

class DiskKeepTest : public ::testing::Test, public LargeKit {
 protected:
  DiskKeepTest() {
    options.max_size = std::uint64_t{4} * 1024 * 1024;
    options.threshold = 0;
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i / 50 % 26);
  }
  void put_large(std::string_view key) {
    Arriving arriving = commit(at(), key, body);
    ASSERT_EQ(ended(at(), arriving), StoreResult::Stored);
  }
  // Until the first segment has gone.
  void push_out() {
    const std::string first = segments().front();
    for (int i = 0; disk.has(first); ++i) {
      ASSERT_LT(i, 3'000);
      put("other" + std::to_string(i), std::string(10'000, 'x'));
    }
  }

  // A fifth of a segment, which is a 64th of max_size, is more than one of them.
  std::string body = std::string(12'000, '\0');
};

TEST_F(DiskKeepTest, OneThatIsUsedIsKeptWhenItsSegmentGoes) {
  // With all its pieces, and a head that leads to where they are then.
  open();
  // More of them than there is room for, and than a segment takes: one reaches into the next.
  const std::string keys[] = {"used0", "unused", "used1", "used2", "used3", "used4", "used5"};
  for (const std::string& key : keys) {
    Arriving arriving = commit(at(), key, body);
    ASSERT_EQ(ended(at(), arriving), StoreResult::Stored);
  }
  const std::string other(10'000, 'x');
  for (int i = 0; at().stats().evictions < 50; ++i) {
    ASSERT_LT(i, 3'000);
    ASSERT_EQ(put("other" + std::to_string(i), other), StoreResult::Stored);
    if (i % 100 > 0) continue;
    for (const std::string& key : keys) {
      if (key != "unused") at().find(key);
    }
  }
  std::string kept;
  for (const std::string& key : keys) {
    const std::string text = text_at(key);
    if (text == "-") continue;
    EXPECT_TRUE(text == body) << key;
    kept += key + " ";
  }
  EXPECT_EQ(kept.find("unused"), kept.npos);
  EXPECT_NE(kept.find("used0"), kept.npos);
  EXPECT_LT(kept.size(), sizeof "used0 used1 used2 used3 used4 used5 ") << "some have to go";
  const std::uint64_t objects = at().stats().objects;
  restart();
  wait_for_objects(objects);
  for (const std::string& key : keys) {
    EXPECT_EQ(text_at(key) == body, kept.find(key) != kept.npos) << key << ", after a restart";
  }
}

TEST_F(DiskKeepTest, WhatHappensToItMeanwhileCounts) {
  // At the first or the second record that is appended for it: its piece, then its head.
  enum class Then : std::uint8_t { Nothing, Fails, Erased, Cleared, Replaced };
  struct Row {
    Then then;
    int append;
    const char* found;
  };
  const Row rows[] = {
      {Then::Nothing, 1, "kept"}, {Then::Fails, 1, "-"},      {Then::Fails, 2, "-"},
      {Then::Erased, 1, "-"},     {Then::Erased, 2, "-"},     {Then::Cleared, 1, "-"},
      {Then::Cleared, 2, "-"},    {Then::Replaced, 1, "new"}, {Then::Replaced, 2, "new"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(static_cast<int>(row.then) * 10 + row.append);
    std::atomic<bool> is_read{false};  // both until the disk is closed: syncs are behind its back
    std::atomic<int> appends{0};
    open();
    put_large("large");
    const std::string first = segments().front();
    ASSERT_EQ(text_at("large"), body);
    {
      Attached other(at().share());
      RecordingStoreWaiter waiter;
      Storing storing;
      disk.fails([&](std::string_view operation, std::string_view name) -> std::optional<Error> {
        // Small bodies are found in memory: only who removes a segment reads.
        if (operation == "read" && name == first) is_read = true;
        if (!is_read || operation != "append" || ++appends != row.append) return std::nullopt;
        if (row.then == Then::Fails) return Error{ErrorCode::System, "Input/output error"};
        if (row.then == Then::Erased) other.erase("large");
        if (row.then == Then::Cleared) other.backend().clear();
        if (row.then == Then::Replaced) {
          storing = other.store().store(entry_of("large", "new"), nullptr, {}, waiter);
        }
        return std::nullopt;
      });
      push_out();
      wait_for_writes();
      disk.fails(nullptr);
      EXPECT_GE(appends, row.append);
    }
    const std::string expected = row.found == std::string_view("kept") ? body : row.found;
    EXPECT_EQ(text_at("large"), expected);
    const std::uint64_t objects = at().stats().objects;
    restart();
    wait_for_objects(objects);
    EXPECT_EQ(text_at("large"), expected) << "after a restart";
    close();
    for (const std::string& path : disk.paths()) disk.erase(path);
  }
}

TEST_F(DiskKeepTest, EachHeadNamesTheFrameOfItsBody) {
  // In what arrived, and in what was kept.
  open();
  put_large("large");
  put_large("unused");
  ASSERT_EQ(text_at("large"), body);
  push_out();
  put_large("later");
  ASSERT_EQ(text_at("large"), body);
  close();
  const auto files = disk.mount();
  const auto cache = disk::open_cache_folder(*files, "cache", "test", 1).value();
  int heads = 0;
  for (const std::uint64_t number : cache.segments) {
    const disk::SegmentId id{cache.id, number};
    const auto file = cache.folder->open(disk::segment_name(number)).value();
    const disk::SegmentListing listing = disk::list_segment(*file, id).value();
    for (const disk::PlacedFrame& placed : listing.frames) {
      const disk::Frame& head = placed.frame;
      if (head.kind != disk::FrameKind::Head) continue;
      ++heads;
      const disk::SegmentId there{cache.id, head.body_segment};
      const auto other = cache.folder->open(disk::segment_name(there.number)).value();
      const auto bytes = read_at(*other, head.body_at, disk::kFrameBytes).value();
      const auto frame = disk::read_frame(bytes, there);
      ASSERT_TRUE(frame) << number << " at " << placed.at;
      EXPECT_EQ(frame->kind, disk::FrameKind::Body);
    }
  }
  EXPECT_EQ(heads, 2);
}

}  // namespace
}  // namespace weir::backends::testing
