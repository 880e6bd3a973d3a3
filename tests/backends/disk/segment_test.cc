// Segments as they are found again: sealed, open, torn, changed, and another one's.
#include <gtest/gtest.h>

#include <random>

#include "backends/disk/segment_format.h"
#include "backends/disk/segment_reader.h"
#include "tests/support/fake_file_system.h"

namespace weir::backends::disk {
namespace {

constexpr SegmentId kHere{.folder = 7, .number = 0x1f};

SegmentHeader header_of(SegmentId id) {
  return {.id = id,
          .time = {.boot_id = {'b', 'o', 'o', 't'}, .wall_ms = 1'700'000'000'000, .boot_ms = -5}};
}

TEST(SegmentFormatTest, ReadsTheHeaderThatWasWritten) {
  const std::string bytes = segment_header(header_of(kHere));
  ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
  const auto read = read_segment_header(bytes, kHere);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, header_of(kHere));
  EXPECT_EQ(bytes.substr(0, 8), "WEIRSEG1");
}

TEST(SegmentFormatTest, AnyOtherHeaderIsNone) {
  const std::string bytes = segment_header(header_of(kHere));
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    std::string changed = bytes;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << i % 8));
    EXPECT_FALSE(read_segment_header(changed, kHere)) << "bit " << i;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(read_segment_header(bytes.substr(0, size), kHere)) << size;
  }
  EXPECT_FALSE(read_segment_header(bytes, {.folder = 8, .number = 0x1f}));
  EXPECT_FALSE(read_segment_header(bytes, {.folder = 7, .number = 0x20}));
}

TEST(SegmentFormatTest, NamesTellTheNumber) {
  EXPECT_EQ(segment_name(0x1f), "000000000000001f.seg");
  EXPECT_EQ(segment_name(UINT64_MAX), "ffffffffffffffff.seg");
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{31}, UINT64_MAX}) {
    EXPECT_EQ(segment_number(segment_name(number)), number);
  }
  for (const char* name : {"", ".seg", "1f.seg", "000000000000001F.seg", "000000000000001g.seg",
                           "000000000000001f.sek", "0000000000000001f.seg", "lock", "marks",
                           "-00000000000001f.seg", "000000000000001f.seg.new"}) {
    EXPECT_FALSE(segment_number(name)) << name;
  }
}

// A segment under the hands of a test.
class SegmentTest : public testing::Test {
 protected:
  SegmentTest() { append(segment_header(header_of(kHere))); }

  void append(std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    ASSERT_TRUE(file_->append(std::span(&part, 1)));
  }
  // A record of so many bytes.
  void add(FrameKind kind, std::size_t size) {
    const Frame frame{.kind = kind,
                      .order = frames_.size() + 100,
                      .hash = key_hash(std::to_string(frames_.size()), kHere.folder),
                      .size = size,
                      .body_segment = kind == FrameKind::Head ? 5U : 0U,
                      .body_at = kind == FrameKind::Head ? 64U : 0U};
    frames_.push_back({frame, file_->size()});
    std::string bytes;
    append_frame(bytes, frame, kHere);
    append(bytes.append(size, 'x').append(padding_of(size), '\0'));
  }
  void seal() { append(contents_record(frames_, file_->size(), 999, kHere)); }
  std::string bytes() { return disk_.bytes("/cache/segment"); }
  void set(const std::string& to) {
    disk_.change("/cache/segment", [&](std::string& bytes) { bytes = to; });
  }
  SegmentListing list() {
    const auto listing = list_segment(*file_, kHere);
    EXPECT_TRUE(listing) << listing.error().message;
    return listing.value_or(SegmentListing{});
  }
  // The first `count` of the records.
  void expect_first(const SegmentListing& listing, std::size_t count) {
    const auto last = frames_.begin() + static_cast<std::ptrdiff_t>(count);
    EXPECT_EQ(listing.frames, std::vector<PlacedFrame>(frames_.begin(), last));
  }
  std::size_t end_of(std::size_t record) const {
    return frames_[record].at + frames_[record].frame.stride();
  }

  test::FakeDisk disk_;
  std::unique_ptr<FileSystem> files_ = disk_.mount();
  std::unique_ptr<Folder> folder_ = files_->open_folder("/cache").value();
  std::unique_ptr<File> file_ = folder_->create("segment").value();
  std::vector<PlacedFrame> frames_;
};

TEST_F(SegmentTest, EmptyHoldsNothing) {
  const SegmentListing listing = list();
  EXPECT_EQ(listing.header, header_of(kHere));
  EXPECT_TRUE(listing.frames.empty());
  EXPECT_FALSE(listing.sealed);
  EXPECT_EQ(listing.end, kSegmentHeaderBytes);
}

TEST_F(SegmentTest, ListsTheSameSealedAndOpen) {
  add(FrameKind::Object, 1000);
  add(FrameKind::Body, 600'000);  // more than is read at once
  add(FrameKind::Head, 77);
  add(FrameKind::Erased, 0);
  for (int i = 0; i < 500; ++i) add(FrameKind::Object, 700 + static_cast<std::size_t>(i));
  const SegmentListing open = list();
  expect_first(open, frames_.size());
  EXPECT_FALSE(open.sealed);
  EXPECT_EQ(open.end, file_->size());
  seal();
  const SegmentListing sealed = list();
  expect_first(sealed, frames_.size());
  EXPECT_TRUE(sealed.sealed);
  EXPECT_EQ(sealed.end, open.end) << "behind the records";
}

TEST_F(SegmentTest, ASealedOneIsListedWithoutReadingItsRecords) {
  for (int i = 0; i < 100; ++i) add(FrameKind::Object, 10'000);
  seal();
  disk_.take_calls();
  list();
  EXPECT_EQ(disk_.take_calls()["read"], 4) << "header, tail, the contents' frame, the contents";
}

TEST_F(SegmentTest, WithATornTailHoldsWhatIsWhole) {
  // Cut at every byte: each record counts exactly as long as it is there whole.
  add(FrameKind::Object, 20);
  add(FrameKind::Erased, 0);
  add(FrameKind::Object, 33);
  seal();
  const std::string whole = bytes();
  for (std::size_t size = kSegmentHeaderBytes; size < whole.size(); ++size) {
    set(whole.substr(0, size));
    const SegmentListing listing = list();
    std::size_t there = 0;
    while (there < frames_.size() && end_of(there) <= size) ++there;
    expect_first(listing, there);
    EXPECT_FALSE(listing.sealed) << size;
    EXPECT_EQ(listing.end, there == 0 ? kSegmentHeaderBytes : end_of(there - 1)) << size;
  }
}

TEST_F(SegmentTest, WithAnyByteChangedListsNoRecordThatWasNot) {
  for (int i = 0; i < 4; ++i) add(FrameKind::Object, 24);
  for (const bool sealed : {false, true}) {
    if (sealed) seal();
    const std::string whole = bytes();
    for (std::size_t i = kSegmentHeaderBytes; i < whole.size(); ++i) {
      std::string changed = whole;
      changed[i] = static_cast<char>(~changed[i]);
      set(changed);
      const SegmentListing listing = list();
      ASSERT_LE(listing.frames.size(), frames_.size()) << i;
      expect_first(listing, listing.frames.size());
    }
    set(whole);
  }
}

TEST_F(SegmentTest, WhoseContentsAreBrokenIsWalked) {
  for (int i = 0; i < 4; ++i) add(FrameKind::Object, 24);
  seal();
  std::string changed = bytes();
  changed[end_of(3) + kFrameBytes + 5] ^= 1;
  set(changed);
  const SegmentListing listing = list();
  expect_first(listing, 4);
  EXPECT_FALSE(listing.sealed);
  EXPECT_EQ(listing.end, end_of(3)) << "it may be sealed again there";
}

TEST_F(SegmentTest, WhoseContentsTellOfOtherRecordsIsWalked) {
  for (int i = 0; i < 4; ++i) add(FrameKind::Object, 24);
  std::vector<PlacedFrame> told = frames_;
  told.pop_back();
  append(contents_record(told, file_->size(), 999, kHere));
  const SegmentListing listing = list();
  expect_first(listing, 4);
  EXPECT_FALSE(listing.sealed);
  EXPECT_EQ(listing.end, end_of(3));
}

TEST_F(SegmentTest, OfAnotherFolderOrNumberIsCorrupt) {
  add(FrameKind::Object, 24);
  for (const SegmentId id :
       {SegmentId{.folder = 8, .number = 0x1f}, SegmentId{.folder = 7, .number = 0x20}}) {
    const auto listing = list_segment(*file_, id);
    ASSERT_FALSE(listing);
    EXPECT_EQ(listing.error().code, ErrorCode::Corrupt);
  }
}

TEST_F(SegmentTest, ThatIsNoSegmentIsCorrupt) {
  std::mt19937 random(3);
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 4096U}) {
    std::string changed(size, '\0');
    for (int i = 0; i < 50; ++i) {
      set(changed);
      const auto listing = list_segment(*file_, kHere);
      ASSERT_FALSE(listing) << size;
      EXPECT_EQ(listing.error().code, ErrorCode::Corrupt);
      for (char& c : changed) c = static_cast<char>(random());
    }
  }
}

TEST_F(SegmentTest, ThatCannotBeReadIsNotCalledCorrupt) {
  // The medium failed: what is there may be good.
  add(FrameKind::Object, 24);
  disk_.fails([](std::string_view operation, std::string_view) -> std::optional<Error> {
    if (operation != "read") return std::nullopt;
    return Error{ErrorCode::System, "Input/output error"};
  });
  EXPECT_EQ(list_segment(*file_, kHere).error().code, ErrorCode::System);
}

TEST_F(SegmentTest, AfterAPowerCutHoldsASoundBeginning) {
  std::mt19937 random(11);
  for (int round = 0; round < 100; ++round) {
    file_ =
        disk_.mount()->open_folder("/cache").value()->create("s" + std::to_string(round)).value();
    frames_.clear();
    append(segment_header(header_of(kHere)));
    for (int i = 0; i < 5; ++i) add(FrameKind::Object, 200);
    ASSERT_TRUE(file_->sync());
    ASSERT_TRUE(disk_.mount()->open_folder("/cache").value()->sync());
    for (int i = 0; i < 20; ++i) add(FrameKind::Object, 200);
    seal();
    disk_.lose_power(random);
    file_ = disk_.mount()->open_folder("/cache").value()->open("s" + std::to_string(round)).value();
    const SegmentListing listing = list();
    EXPECT_GE(listing.frames.size(), 5U) << "these had been synced";
    expect_first(listing, listing.frames.size());
  }
}

}  // namespace
}  // namespace weir::backends::disk
