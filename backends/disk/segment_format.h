// What a segment begins and ends with (docs/DISK_FORMAT.md). Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/disk/frame.h"
#include "base/result.h"

namespace weir::backends::disk {

inline constexpr std::size_t kSegmentHeaderBytes = 64;

// What the clocks showed when a segment was begun: how old its records are, told by the clock that
// runs since the machine was started, if it is that same start, else by the wall's.
struct TimeBase {
  std::array<char, 16> boot_id{};
  std::int64_t wall_ms = 0;
  std::int64_t boot_ms = 0;
  friend bool operator==(const TimeBase&, const TimeBase&) = default;
};

struct SegmentHeader {
  SegmentId id;
  TimeBase time;
  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

std::string segment_header(const SegmentHeader& header);
// Corrupt: anything but the header of that segment, whole.
Result<SegmentHeader> read_segment_header(std::string_view bytes, SegmentId expected);

// "000000000000001f.seg", and back: a name that is spelled otherwise is none of ours.
std::string segment_name(std::uint64_t number);
std::optional<std::uint64_t> segment_number(std::string_view name);

// A frame and the place where it stands in its segment.
struct PlacedFrame {
  Frame frame;
  std::uint64_t at = 0;
  friend bool operator==(const PlacedFrame&, const PlacedFrame&) = default;
};

// What a sealed segment ends with: its frames, in their order, so that nobody has to look for them.
// `at` is where it will stand; `order` its own.
std::string contents_record(const std::vector<PlacedFrame>& frames, std::uint64_t at,
                            std::uint64_t order, SegmentId place);

// How long the record of so many frames is.
std::uint64_t contents_bytes(std::size_t frames);

// The last bytes of a segment tell where its contents begin, if it is sealed.
inline constexpr std::size_t kSegmentTailBytes = 16;
std::optional<std::uint64_t> contents_begin(std::string_view tail, SegmentId place);
// Whether that frame can begin the contents that stand at `at` and, with it, are so many bytes: to
// be asked before they are read, for a tail may tell of any number.
bool may_be_contents(const Frame& frame, std::uint64_t at, std::uint64_t bytes);
// `bytes` is everything from there to the segment's end. Corrupt: anything else, and lines that do
// not tell of record behind record, from the header to `at`.
Result<std::vector<PlacedFrame>> read_contents(std::string_view bytes, std::uint64_t at,
                                               SegmentId place);

}  // namespace weir::backends::disk
