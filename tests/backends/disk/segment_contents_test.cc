// What a sealed segment tells of itself, with every checksum right: believed only where the lines
// make a segment.
#include <gtest/gtest.h>

#include <functional>

#include "backends/disk/segment_format.h"
#include "base/little_endian.h"

namespace weir::backends::disk {
namespace {

constexpr SegmentId kHere{.folder = 7, .number = 0x1f};
constexpr std::size_t kLineBytes = 64;

using Frames = std::vector<PlacedFrame>;

// One behind the other, of strides 88, 136 and 64.
Frames sound_frames() {
  Frames frames;
  std::uint64_t at = kSegmentHeaderBytes;
  for (const std::uint64_t size : {20U, 72U, 0U}) {
    const FrameKind kind = size == 0 ? FrameKind::Erased : FrameKind::Object;
    frames.push_back({{.kind = kind, .order = at, .hash = {at, at}, .size = size}, at});
    at += frames.back().frame.stride();
  }
  return frames;
}

std::uint64_t end_of(const Frames& frames) {
  return frames.empty() ? kSegmentHeaderBytes : frames.back().at + frames.back().frame.stride();
}

void expect_corrupt(const std::string& bytes, std::uint64_t at, std::string_view what) {
  const auto read = read_contents(bytes, at, kHere);
  ASSERT_FALSE(read) << what;
  EXPECT_EQ(read.error().code, ErrorCode::Corrupt) << what;
}

TEST(SegmentContentsTest, ReadsWhatWasWritten) {
  for (const Frames& frames : {Frames{}, sound_frames()}) {
    const std::uint64_t at = end_of(frames);
    const std::string bytes = contents_record(frames, at, 999, kHere);
    EXPECT_EQ(bytes.size(), contents_bytes(frames.size()));
    const auto read = read_contents(bytes, at, kHere);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, frames);
  }
}

TEST(SegmentContentsTest, OfLinesThatMakeNoSegmentAreNotBelieved) {
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 62U;
  struct Case {
    const char* what;
    std::function<void(Frames&)> change;
  };
  const Case cases[] = {
      {"no kind", [](Frames& f) { f[1].frame.kind = FrameKind{0}; }},
      {"an unknown kind", [](Frames& f) { f[1].frame.kind = FrameKind{6}; }},
      {"contents in contents", [](Frames& f) { f[1].frame.kind = FrameKind::Contents; }},
      {"a size that overflows", [](Frames& f) { f[2].frame.size = UINT64_MAX - 10; }},
      {"a size beyond the segment", [](Frames& f) { f[2].frame.size = 1000; }},
      {"a size beyond the next record", [](Frames& f) { f[0].frame.size += 8; }},
      {"a size short of the next record", [](Frames& f) { f[0].frame.size -= 8; }},
      {"a body's place that overflows", [](Frames& f) { f[1].frame.body_at = UINT64_MAX - 10; }},
      {"a first record not behind the header", [](Frames& f) { f[0].at += 8; }},
      {"a first record in the header", [](Frames& f) { f[0].at = 0; }},
      {"a record elsewhere", [](Frames& f) { f[1].at += 8; }},
      {"records in another order", [](Frames& f) { std::swap(f[0], f[1]); }},
      {"a record left out at the front", [](Frames& f) { f.erase(f.begin()); }},
      {"a record left out in the middle", [](Frames& f) { f.erase(f.begin() + 1); }},
      {"a record left out at the end", [](Frames& f) { f.pop_back(); }},
      {"a record told twice", [](Frames& f) { f.push_back(f.back()); }},
      {"none of the records", [](Frames& f) { f.clear(); }},
      {"records whose sum runs over",
       [](Frames& f) {
         // Four of a quarter of all numbers: the next place is the first one again.
         const Frames sound = std::exchange(f, {});
         for (std::uint64_t i = 0; i < 4; ++i) {
           f.push_back({{.size = kHuge - kFrameBytes}, kSegmentHeaderBytes + i * kHuge});
         }
         f.insert(f.end(), sound.begin(), sound.end());
       }},
  };
  // Room for more lines than there are records, so that none is refused for their number alone.
  Frames sound = sound_frames();
  sound.push_back({{.kind = FrameKind::Body, .order = 4, .size = 4096}, end_of(sound)});
  const std::uint64_t at = end_of(sound);
  ASSERT_TRUE(read_contents(contents_record(sound, at, 999, kHere), at, kHere));
  for (const Case& c : cases) {
    Frames frames = sound;
    c.change(frames);
    expect_corrupt(contents_record(frames, at, 999, kHere), at, c.what);
  }
}

TEST(SegmentContentsTest, WhoseZerosAreNoneAreNotBelieved) {
  const Frames frames = sound_frames();
  const std::uint64_t at = end_of(frames);
  const std::string sound = contents_record(frames, at, 999, kHere);
  const std::size_t sums = sound.size() - kSegmentTailBytes - kChecksumBytes;
  for (std::size_t line = 0; line < frames.size(); ++line) {
    for (std::size_t zero = 1; zero < 8; ++zero) {
      std::string bytes = sound.substr(0, sums);
      bytes[kFrameBytes + line * kLineBytes + zero] = 1;
      append_checksum(bytes, kFrameBytes, kHere);
      bytes += sound.substr(sound.size() - kSegmentTailBytes);
      expect_corrupt(bytes, at, std::to_string(line) + ", " + std::to_string(zero));
    }
  }
}

TEST(SegmentContentsTest, AreNoneWhereSoManyRecordsCannotStandBeforeThem) {
  struct Case {
    std::uint64_t at;
    std::uint64_t bytes;
    bool may_be;
  };
  const std::uint64_t none = contents_bytes(0);
  for (const Case& c :
       {Case{kSegmentHeaderBytes, none, true}, Case{kSegmentHeaderBytes - 8, none, false},
        Case{kSegmentHeaderBytes, none - kLineBytes, false},
        Case{kSegmentHeaderBytes, contents_bytes(1), false},
        Case{kSegmentHeaderBytes + kFrameBytes - 8, contents_bytes(1), false},
        Case{kSegmentHeaderBytes + kFrameBytes, contents_bytes(1), true},
        Case{kSegmentHeaderBytes + kFrameBytes, none + 8, false},
        Case{kSegmentHeaderBytes + kFrameBytes, contents_bytes(2), false},
        Case{kMostRecordEnd, contents_bytes(3), true},
        Case{kMostRecordEnd + 8, contents_bytes(3), false}}) {
    const Frame frame{.kind = FrameKind::Contents, .size = c.bytes - kFrameBytes};
    EXPECT_EQ(may_be_contents(frame, c.at, c.bytes), c.may_be) << c.at << ", " << c.bytes;
    EXPECT_FALSE(may_be_contents(frame, c.at, c.bytes + kLineBytes)) << "of another size";
    const Frame object{.size = frame.size};
    EXPECT_FALSE(may_be_contents(object, c.at, c.bytes)) << "of another kind";
  }
}

}  // namespace
}  // namespace weir::backends::disk
