// Segments as they are written, and what a failing disk leaves of them.
#include "backends/disk/segment_writer.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/fake_file_system.h"

namespace weir::backends::disk {
namespace {

constexpr SegmentId kHere{.folder = 7, .number = 2};

class SegmentWriterTest : public testing::Test {
 protected:
  static SegmentHeader header() { return {.id = kHere, .time = {.wall_ms = 5}}; }
  std::unique_ptr<SegmentWriter> create() {
    return SegmentWriter::create(*folder_, header(), orders_).value();
  }
  static NewRecord object(std::uint64_t n, std::string_view bytes) {
    return {.kind = FrameKind::Object, .hash = {n, n}, .bytes = bytes};
  }
  // One record; whether it was written.
  static bool add(SegmentWriter& writer, std::uint64_t n, std::string_view bytes) {
    const NewRecord record = object(n, bytes);
    return writer.append(std::span(&record, 1)).has_value();
  }
  SegmentListing list() { return list_segment(*folder_->open(name_).value(), kHere).value(); }
  std::string bytes_at(const PlacedFrame& placed) {
    std::string out(placed.frame.size, '\0');
    EXPECT_EQ(folder_->open(name_).value()->read(placed.at + kFrameBytes, out), out.size());
    return out;
  }
  void disk_fails_at(std::string_view call) {
    disk_.fails([call](std::string_view operation, std::string_view) -> std::optional<Error> {
      if (operation != call) return std::nullopt;
      return Error{ErrorCode::System, "Input/output error"};
    });
  }

  test::FakeDisk disk_;
  std::unique_ptr<FileSystem> files_ = disk_.mount();
  std::unique_ptr<Folder> folder_ = files_->open_folder("/cache").value();
  std::atomic<std::uint64_t> orders_ = 100;
  const std::string name_ = segment_name(kHere.number);
};

TEST_F(SegmentWriterTest, WritesSeveralRecordsAtOnce) {
  const auto writer = create();
  disk_.take_calls();
  const NewRecord records[] = {object(1, "first"),
                               {.kind = FrameKind::Erased, .hash = {2, 2}},
                               {.kind = FrameKind::Head,
                                .hash = {3, 3},
                                .bytes = "the head",
                                .body_segment = 9,
                                .body_at = 64}};
  const auto placed = writer->append(records);
  ASSERT_TRUE(placed);
  EXPECT_EQ(disk_.take_calls()["append"], 1);
  EXPECT_EQ(writer->end(), kSegmentHeaderBytes + SegmentWriter::bytes_of(records));
  EXPECT_EQ(disk_.size("/cache/" + name_), writer->end());
  const SegmentListing listing = list();
  EXPECT_EQ(listing.frames, *placed);
  ASSERT_EQ(placed->size(), 3U);
  EXPECT_EQ(bytes_at((*placed)[0]), "first");
  EXPECT_EQ(bytes_at((*placed)[2]), "the head");
  EXPECT_EQ((*placed)[2].frame.body_segment, 9U);
  EXPECT_EQ((*placed)[2].frame.body_at, 64U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ((*placed)[i].frame.order, 100 + i);
}

TEST_F(SegmentWriterTest, SealedEndsWithItsContents) {
  const auto writer = create();
  ASSERT_TRUE(add(*writer, 1, "first"));
  ASSERT_TRUE(add(*writer, 2, "second"));
  const std::uint64_t expected = writer->end() + writer->seal_bytes();
  ASSERT_TRUE(writer->seal());
  EXPECT_EQ(writer->end(), expected);
  const SegmentListing listing = list();
  EXPECT_TRUE(listing.sealed);
  EXPECT_EQ(listing.frames.size(), 2U);
}

TEST_F(SegmentWriterTest, WhoseContentsCouldNotBeWrittenIsSealedLater) {
  const auto writer = create();
  ASSERT_TRUE(add(*writer, 1, "first"));
  disk_.set_free(10);
  EXPECT_FALSE(writer->seal());
  EXPECT_FALSE(list().sealed);
  disk_.set_free(UINT64_MAX);
  ASSERT_TRUE(writer->seal());
  EXPECT_TRUE(list().sealed);
}

TEST_F(SegmentWriterTest, GoesOnBehindTheTornTailOfACrash) {
  auto writer = create();
  ASSERT_TRUE(add(*writer, 1, "first"));
  ASSERT_TRUE(add(*writer, 2, "second"));
  disk_.change("/cache/" + name_, [](std::string& bytes) { bytes.resize(bytes.size() - 3); });
  writer = SegmentWriter::resume(folder_->open(name_).value(), list(), orders_).value();
  ASSERT_TRUE(add(*writer, 3, "third"));
  SegmentListing listing = list();
  ASSERT_EQ(listing.frames.size(), 2U);
  EXPECT_EQ(bytes_at(listing.frames[0]), "first");
  EXPECT_EQ(bytes_at(listing.frames[1]), "third");
  ASSERT_TRUE(writer->seal());
  EXPECT_EQ(list().frames, listing.frames);
}

TEST_F(SegmentWriterTest, AFailedWriteLeavesNothingOfItsOwn) {
  // The disk fills up at each possible byte: what was there stays, and there is room for it later.
  const NewRecord records[] = {object(2, "second"), object(3, "third")};
  for (std::uint64_t room = 0; room < SegmentWriter::bytes_of(records); ++room) {
    [[maybe_unused]] const Result<void> removed = folder_->remove(name_);
    disk_.set_free(UINT64_MAX);
    const auto writer = create();
    ASSERT_TRUE(add(*writer, 1, "first"));
    const std::uint64_t end = writer->end();
    disk_.set_free(room);
    ASSERT_FALSE(writer->append(records));
    EXPECT_FALSE(writer->broken());
    EXPECT_EQ(writer->end(), end);
    EXPECT_EQ(disk_.size("/cache/" + name_), end) << room;
    disk_.set_free(UINT64_MAX);
    ASSERT_TRUE(add(*writer, 4, "fourth"));
    const SegmentListing listing = list();
    ASSERT_EQ(listing.frames.size(), 2U);
    EXPECT_EQ(bytes_at(listing.frames[1]), "fourth");
  }
}

TEST_F(SegmentWriterTest, WhereAFailedWriteCannotBeUndoneNothingFollows) {
  const auto writer = create();
  ASSERT_TRUE(add(*writer, 1, "first"));
  disk_.set_free(10);
  disk_fails_at("truncate");
  EXPECT_FALSE(add(*writer, 2, "second"));
  EXPECT_TRUE(writer->broken());
  disk_.set_free(UINT64_MAX);
  disk_.fails(nullptr);
  EXPECT_FALSE(add(*writer, 3, "third"));
  EXPECT_FALSE(writer->seal());
  EXPECT_EQ(list().frames.size(), 1U) << "what was written before is there";
}

TEST_F(SegmentWriterTest, OneThatCannotBeBegunIsNotLeftBehind) {
  disk_fails_at("append");
  const auto writer = SegmentWriter::create(*folder_, header(), orders_);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ErrorCode::System);
  EXPECT_FALSE(disk_.has("/cache/" + name_));
}

TEST_F(SegmentWriterTest, TakesNothingThatAnIndexCouldNotHold) {
  // As one that was found with so much room behind its records.
  constexpr std::uint64_t kRoom = 2 * (kFrameBytes + 16);
  struct Case {
    std::vector<std::size_t> sizes;
    bool fits;
  };
  for (const Case& c : {Case{{kRoom - kFrameBytes}, true}, Case{{kRoom - kFrameBytes + 1}, false},
                        Case{{16, 9}, true}, Case{{16, 17}, false}, Case{{0, 0, 0}, false}}) {
    [[maybe_unused]] const Result<void> removed = folder_->remove(name_);
    SegmentListing listing;
    listing.header = header();
    listing.end = kMostRecordEnd - kRoom;
    const auto writer =
        SegmentWriter::resume(folder_->create(name_).value(), listing, orders_).value();
    const std::string bytes(kRoom, 'x');
    std::vector<NewRecord> records;
    for (const std::size_t size : c.sizes) {
      records.push_back(object(1, std::string_view(bytes).substr(0, size)));
    }
    const std::uint64_t order = orders_;
    const auto placed = writer->append(records);
    ASSERT_EQ(placed.has_value(), c.fits) << c.sizes.front();
    if (c.fits) continue;
    EXPECT_EQ(placed.error().code, ErrorCode::TooLarge);
    EXPECT_EQ(writer->end(), listing.end);
    EXPECT_EQ(orders_, order);
    EXPECT_EQ(disk_.size("/cache/" + name_), 0U);
    EXPECT_FALSE(writer->broken());
    EXPECT_TRUE(writer->seal()) << "it is full, and nothing worse";
  }
}

TEST_F(SegmentWriterTest, ItsReadersKeepTheFileWhenItIsGone) {
  std::shared_ptr<File> file;
  {
    const auto writer = create();
    ASSERT_TRUE(add(*writer, 1, "first"));
    file = writer->file();
  }
  ASSERT_TRUE(folder_->remove(name_));
  std::string out(5, '\0');
  EXPECT_EQ(file->read(kSegmentHeaderBytes + kFrameBytes, out), 5U);
  EXPECT_EQ(out, "first");
}

}  // namespace
}  // namespace weir::backends::disk
