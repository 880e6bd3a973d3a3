#include "backends/disk/frame.h"

#include <gtest/gtest.h>

namespace weir::backends::disk {
namespace {

constexpr SegmentId kHere{.folder = 7, .number = 3};

Frame frame_of(FrameKind kind) {
  return {.kind = kind,
          .order = 0x1122334455667788,
          .hash = {0x0102030405060708, 0x1112131415161718},
          .size = 1234567,
          .body_segment = 9,
          .body_at = 4096};
}

std::string bytes_of(const Frame& frame, SegmentId place = kHere) {
  std::string out;
  append_frame(out, frame, place);
  return out;
}

TEST(FrameTest, ReadsWhatWasWritten) {
  for (const FrameKind kind : {FrameKind::Object, FrameKind::Body, FrameKind::Head,
                               FrameKind::Erased, FrameKind::Contents}) {
    const Frame frame = frame_of(kind);
    const std::string bytes = bytes_of(frame);
    ASSERT_EQ(bytes.size(), kFrameBytes);
    const auto read = read_frame(bytes, kHere);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, frame);
  }
}

TEST(FrameTest, IsWrittenTheSameOnEveryMachineAndInEveryRelease) {
  // Lowest byte first, at these places: docs/DISK_FORMAT.md.
  const std::string bytes = bytes_of(frame_of(FrameKind::Head));
  EXPECT_EQ(bytes.substr(0, 8), std::string("WIRF\3\0\0\0", 8));
  EXPECT_EQ(bytes.substr(8, 8), "\x88\x77\x66\x55\x44\x33\x22\x11");
  EXPECT_EQ(bytes.substr(16, 8), "\x08\x07\x06\x05\x04\x03\x02\x01");
  EXPECT_EQ(bytes.substr(32, 8), std::string("\x87\xd6\x12\0\0\0\0\0", 8));
  EXPECT_EQ(bytes.substr(48, 8), std::string("\0\x10\0\0\0\0\0\0", 8));
}

TEST(FrameTest, WithAnyBitChangedIsNone) {
  const std::string bytes = bytes_of(frame_of(FrameKind::Object));
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    std::string changed = bytes;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << i % 8));
    EXPECT_FALSE(read_frame(changed, kHere)) << "bit " << i;
  }
}

TEST(FrameTest, WhoseZerosAreNoneIsNoneThoughItsChecksumIsRight) {
  const std::string bytes = bytes_of(frame_of(FrameKind::Object));
  for (const std::size_t zero : {5U, 6U, 7U}) {
    std::string changed = bytes.substr(0, kFrameBytes - kChecksumBytes);
    changed[zero] = 1;
    append_checksum(changed, 0, kHere);
    EXPECT_FALSE(read_frame(changed, kHere)) << zero;
  }
}

TEST(FrameTest, OfAnotherPlaceIsNone) {
  const std::string bytes = bytes_of(frame_of(FrameKind::Object));
  EXPECT_FALSE(read_frame(bytes, {.folder = 7, .number = 4}));
  EXPECT_FALSE(read_frame(bytes, {.folder = 8, .number = 3}));
  EXPECT_FALSE(read_frame(bytes, {.folder = 3, .number = 7}));
}

TEST(FrameTest, OfAnImpossibleSizeIsNone) {
  // Sums with it would overflow, however right its checksum is.
  Frame frame = frame_of(FrameKind::Object);
  frame.size = UINT64_MAX - 10;
  EXPECT_FALSE(read_frame(bytes_of(frame), kHere));
}

TEST(FrameTest, RecordsBeginAtMultiplesOfEight) {
  struct Case {
    std::uint64_t size;
    std::uint64_t stride;
  };
  for (const Case& c : {Case{0, 64}, Case{1, 72}, Case{7, 72}, Case{8, 72}, Case{9, 80}}) {
    EXPECT_EQ(Frame{.size = c.size}.stride(), c.stride) << c.size;
  }
}

TEST(FrameTest, AKeysHashIsTheFoldersOwn) {
  EXPECT_EQ(key_hash("key", 7), key_hash("key", 7));
  EXPECT_NE(key_hash("key", 7), key_hash("key", 8));
  EXPECT_NE(key_hash("key", 7), key_hash("other", 7));
}

}  // namespace
}  // namespace weir::backends::disk
