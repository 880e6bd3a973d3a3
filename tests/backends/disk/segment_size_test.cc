// Segments that are huge, or say they are: what is read of them, and how far.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "backends/disk/segment_reader.h"
#include "base/little_endian.h"

namespace weir::backends::disk {
namespace {

constexpr SegmentId kHere{.folder = 7, .number = 3};
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

// Zeros, but for what is put somewhere. For reading only.
class HollowFile final : public File {
 public:
  HollowFile() { put(0, segment_header({.id = kHere, .time = {}})); }

  void put(std::uint64_t at, std::string bytes) {
    size_ = std::max(size_, at + bytes.size());
    pieces_[at] = std::move(bytes);
  }
  PlacedFrame put_frame(std::uint64_t at, const Frame& frame) {
    std::string bytes;
    append_frame(bytes, frame, kHere);
    put(at, std::move(bytes));
    size_ = std::max(size_, at + frame.stride());
    return {frame, at};
  }
  // As at the end of a sealed segment whose contents begin there.
  void put_tail(std::uint64_t at, std::uint64_t begin) {
    std::string bytes;
    put_number(bytes, begin);
    append_checksum(bytes, 0, kHere);
    put(at, std::move(bytes));
  }
  std::size_t most_read() const { return most_read_; }

  Result<std::size_t> read(std::uint64_t at, std::span<char> into) override {
    most_read_ = std::max(most_read_, into.size());
    const std::size_t count = std::min<std::uint64_t>(into.size(), size_ - std::min(size_, at));
    std::ranges::fill(into.first(count), '\0');
    for (const auto& [place, bytes] : pieces_) {
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (place + i >= at && place + i - at < count) into[place + i - at] = bytes[i];
      }
    }
    return count;
  }
  std::uint64_t size() const override { return size_; }
  std::size_t read_resident(std::uint64_t, std::span<char>) override { return 0; }
  Result<void> append(std::span<const iovec>) override { return {}; }
  Result<void> truncate(std::uint64_t) override { return {}; }
  Result<void> sync() override { return {}; }
  int descriptor() const override { return -1; }
  std::uint64_t resident_bytes(std::uint64_t, std::uint64_t) override { return 0; }
  std::optional<std::int64_t> modified() override { return std::nullopt; }

 private:
  std::map<std::uint64_t, std::string> pieces_;
  std::uint64_t size_ = 0;
  std::size_t most_read_ = 0;
};

TEST(SegmentSizeTest, NoTailMakesItReadMoreThanItsContentsCanBe) {
  constexpr std::uint64_t kSize = std::uint64_t{64} << 20U;
  constexpr std::uint64_t kSecond = kSegmentHeaderBytes + kFrameBytes + 8;
  struct Case {
    const char* what;
    FrameKind kind;  // of what stands where the contents are said to begin
    std::uint64_t size;
  };
  for (const Case& c :
       {Case{"a record", FrameKind::Object, kSize - kSecond - kFrameBytes},
        Case{"contents of another size", FrameKind::Contents, 24},
        Case{"more lines than records", FrameKind::Contents, kSize - kSecond - kFrameBytes}}) {
    HollowFile file;
    const PlacedFrame first = file.put_frame(kSegmentHeaderBytes, {.size = 8});
    file.put_frame(kSecond, {.kind = c.kind, .size = c.size});
    file.put_tail(kSize - kSegmentTailBytes, kSecond);
    const auto listing = list_segment(file, kHere);
    ASSERT_TRUE(listing) << c.what;
    EXPECT_FALSE(listing->sealed) << c.what;
    EXPECT_EQ(listing->frames.size(), c.kind == FrameKind::Object ? 2U : 1U) << c.what;
    EXPECT_EQ(listing->frames.front(), first) << c.what;
    EXPECT_LE(file.most_read(), 1U << 20U) << c.what;
  }
}

TEST(SegmentSizeTest, EndsWhereARecordWouldReachBeyondWhatAnIndexHolds) {
  struct Case {
    std::uint64_t second;  // the bytes from its frame on
    std::size_t listed;
  };
  constexpr std::uint64_t kRoom = kMostRecordEnd - 20 * kGiB;
  for (const Case& c :
       {Case{kRoom - 8, 2}, Case{kRoom, 2}, Case{kRoom + 8, 1}, Case{kGiB * 40, 1}}) {
    HollowFile file;
    const PlacedFrame records[] = {
        file.put_frame(
            kSegmentHeaderBytes,
            {.kind = FrameKind::Body, .size = 20 * kGiB - kSegmentHeaderBytes - kFrameBytes}),
        file.put_frame(20 * kGiB, {.kind = FrameKind::Body, .size = c.second - kFrameBytes})};
    const std::uint64_t end = file.size();
    const std::vector<PlacedFrame> all(std::begin(records), std::end(records));
    const std::vector<PlacedFrame> listed(std::begin(records), std::begin(records) + c.listed);
    for (const bool sealed : {false, true}) {
      if (sealed) file.put(end, contents_record(all, end, 9, kHere));
      const auto listing = list_segment(file, kHere);
      ASSERT_TRUE(listing);
      EXPECT_EQ(listing->frames, listed) << c.second;
      EXPECT_EQ(listing->sealed, sealed && c.listed == 2) << c.second;
      if (listing->sealed) continue;
      EXPECT_EQ(listing->end, listed.back().at + listed.back().frame.stride());
    }
  }
}

}  // namespace
}  // namespace weir::backends::disk
