// Which bodies are left where they lie, for the kernel to send, on a real file system: those that
// were read and found sound before, that nobody has written to since, and that nobody wants in
// memory.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "backends/disk/disk_backend.h"
#include "backends/disk/record_reader.h"
#include "backends/disk/verified_blocks.h"
#include "tests/conformance/entries.h"
#include "tests/conformance/look_up.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace weir::backends::disk {
namespace {

using testing::Attached;
using testing::entry_of;
using testing::marker_of;
using testing::text_of;

class DiskSent : public ::testing::Test {
 protected:
  DiskSent() {
    DiskOptions options;
    options.cache_dir = folder_.file("cache");
    options.max_size = 64 * 1024 * 1024;
    options.min_free_percent = 0;
    OpenedDisk opened = open_disk_backend(options, {system_files(), executor_, clock_}).value();
    opened.use_book(1);
    at_ = std::make_unique<Attached>(std::move(opened.backend));
  }
  // Once it is in its segment.
  void put(EntryRef entry) { ASSERT_EQ(at_->put(std::move(entry)), StoreResult::Stored); }
  EntryRef find(std::string_view key, Purpose purpose = Purpose::Serve) {
    return at_->store().lookup_now({key, hash128(key)}, purpose);
  }
  bool is_far(std::string_view key, Purpose purpose = Purpose::Serve) {
    const EntryRef entry = find(key, purpose);
    return entry && entry->far_body() != nullptr;
  }
  // Writes to the file as anybody can, and lets the moment pass in which that is not noticed.
  void flip_bit_of(std::string_view text) {
    for (const auto& file : std::filesystem::directory_iterator(folder_.file("cache"))) {
      if (file.path().extension() != ".seg") continue;
      std::fstream stream(file.path(), std::ios::in | std::ios::out | std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
      const std::size_t at = bytes.find(text);
      if (at == std::string::npos) continue;
      stream.clear();
      stream.seekp(static_cast<std::streamoff>(at));
      stream.put(static_cast<char>(bytes[at] ^ 1));
    }
    clock_.advance(VerifiedBlocks::kSeenFor_ms);
  }
  std::string body(std::size_t bytes, std::string_view end) {
    return std::string(bytes - end.size(), 'x').append(end);
  }

  test::TempDir folder_;
  test::FakeClock clock_;
  ThreadPool executor_{2};
  std::unique_ptr<Attached> at_;
};

TEST_F(DiskSent, ABodyIsSentFromItsFileOnceItWasFoundSound) {
  struct Row {
    std::size_t bytes;
    bool sent;
  };
  constexpr Row kRows[] = {
      {1, false},
      {RecordReader::kSentBytes - 512, false},
      {RecordReader::kSentBytes, true},
      {FarBody::kBlockBytes - 1, true},
      {FarBody::kBlockBytes, true},
      {FarBody::kBlockBytes + 1, true},
      {RecordReader::kWholeBytes - 4096, true},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.bytes);
    const std::string key = "key of " + std::to_string(row.bytes);
    const std::string whole = body(row.bytes, "");
    put(entry_of(key, whole));
    const EntryRef first = find(key);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->far_body(), nullptr) << "it was not read yet";
    EXPECT_EQ(text_of(*first), whole);
    const EntryRef second = find(key);
    ASSERT_TRUE(second);
    ASSERT_EQ(second->far_body() != nullptr, row.sent);
    EXPECT_EQ(second->stored_head(), first->stored_head());
    if (!row.sent) continue;
    EXPECT_EQ(second->far_body()->size(), row.bytes);
    EXPECT_EQ(second->far_body()->range_now(0, clock_.now_ms()).bytes, row.bytes);
  }
}

TEST_F(DiskSent, WhatIsWantedInMemoryIsReadAsEver) {
  put(entry_of("a", body(20'000, "")));
  EXPECT_FALSE(is_far("a"));
  EXPECT_TRUE(is_far("a"));
  EXPECT_FALSE(is_far("a", Purpose::Promote)) << "for a nearer tier";
  EXPECT_FALSE(is_far("a", Purpose::Probe)) << "for a fetch that validates it";
  EXPECT_TRUE(is_far("a"));
  EXPECT_EQ(at_->find("a")->far_body(), nullptr) << "who may wait";
}

TEST_F(DiskSent, OurOwnWritesToTheSegmentChangeNothing) {
  put(entry_of("a", body(20'000, "")));
  EXPECT_FALSE(is_far("a"));
  for (int i = 0; i < 10; ++i) {
    put(entry_of("b" + std::to_string(i), body(20'000, "")));
    clock_.advance(VerifiedBlocks::kSeenFor_ms);
    EXPECT_TRUE(is_far("a"));
  }
}

TEST_F(DiskSent, WhoHasWrittenToTheFileIsFoundOut) {
  put(entry_of("a", body(20'000, "the end of a")));
  put(entry_of("b", body(20'000, "the end of b")));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(is_far("a"), i == 1);
    EXPECT_EQ(is_far("b"), i == 1);
  }
  flip_bit_of("the end of a");
  EXPECT_FALSE(is_far("b")) << "any of its bytes may have changed";
  EXPECT_FALSE(find("a"));
  EXPECT_TRUE(is_far("b"));
}

TEST_F(DiskSent, AMarkersListsAreReadAsEver) {
  std::vector<std::string> variants;
  for (int i = 0; i < 400; ++i) variants.push_back(std::string(60, 'v') + std::to_string(i));
  put(marker_of("a", {"Accept"}, variants));
  for (int i = 0; i < 3; ++i) {
    const EntryRef found = find("a");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->far_body(), nullptr);
  }
}

}  // namespace
}  // namespace weir::backends::disk
