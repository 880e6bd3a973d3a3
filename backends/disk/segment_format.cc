// The contents of a segment are a record like any other: a frame, then 64 bytes for each record of
// the segment, a checksum of these, and the tail: where that frame stands, and a checksum of this.
#include "backends/disk/segment_format.h"

#include <algorithm>

#include "base/check.h"
#include "base/little_endian.h"

namespace weir::backends::disk {
namespace {

constexpr std::uint64_t kMagic = 0x3147455352494557;  // "WEIRSEG1"
constexpr std::string_view kSuffix = ".seg";
constexpr std::size_t kNumberDigits = 16;
// In the table of contents: kind, seven zero bytes, place, and the frame's fields.
constexpr std::size_t kZerosBehindKind = 7;
constexpr std::size_t kLineBytes = 16 + kFrameFieldBytes;

auto corrupt(const char* why) {
  return fail(ErrorCode::Corrupt, std::string("a segment: ") + why);
}

void append_line(std::string& out, const PlacedFrame& placed) {
  append_kind(out, placed.frame.kind, kZerosBehindKind);
  put_number(out, placed.at);
  append_frame_fields(out, placed.frame);
}

// Nothing: no record is told of so.
std::optional<PlacedFrame> take_line(std::string_view& in) {
  const auto kind = take_kind(in, kZerosBehindKind);
  if (!kind || *kind == FrameKind::Contents) return std::nullopt;
  PlacedFrame placed;
  placed.frame.kind = *kind;
  placed.at = take_number<std::uint64_t>(in);
  if (!take_frame_fields(in, placed.frame)) return std::nullopt;
  return placed;
}

}  // namespace

std::string segment_header(const SegmentHeader& header) {
  std::string out;
  put_number(out, kMagic);
  put_number(out, header.id.folder);
  put_number(out, header.id.number);
  out.append(header.time.boot_id.data(), header.time.boot_id.size());
  put_number(out, header.time.wall_ms);
  put_number(out, header.time.boot_ms);
  append_checksum(out, 0, header.id);
  WEIR_CHECK(out.size() == kSegmentHeaderBytes);
  return out;
}

Result<SegmentHeader> read_segment_header(std::string_view bytes, SegmentId expected) {
  if (bytes.size() != kSegmentHeaderBytes) return corrupt("it is cut");
  std::string_view in = bytes;
  if (!take_checksum(in, expected)) return corrupt("its header has changed, or is another one's");
  if (take_number<std::uint64_t>(in) != kMagic) return corrupt("it is none");
  SegmentHeader header;
  header.id.folder = take_number<std::uint64_t>(in);
  header.id.number = take_number<std::uint64_t>(in);
  if (header.id != expected) return corrupt("it is another one");
  std::copy_n(in.begin(), header.time.boot_id.size(), header.time.boot_id.begin());
  in.remove_prefix(header.time.boot_id.size());
  header.time.wall_ms = take_number<std::int64_t>(in);
  header.time.boot_ms = take_number<std::int64_t>(in);
  return header;
}

std::string segment_name(std::uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(kNumberDigits, '0');
  for (std::size_t i = kNumberDigits; i-- > 0; number >>= 4U) out[i] = kDigits[number & 15U];
  return out.append(kSuffix);
}

std::optional<std::uint64_t> segment_number(std::string_view name) {
  if (name.size() != kNumberDigits + kSuffix.size() || !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  for (const char c : name.substr(0, kNumberDigits)) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return std::nullopt;
    number = number << 4U | static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return number;
}

std::uint64_t contents_bytes(std::size_t frames) {
  return kFrameBytes + frames * kLineBytes + kChecksumBytes + kSegmentTailBytes;
}

std::string contents_record(const std::vector<PlacedFrame>& frames, std::uint64_t at,
                            std::uint64_t order, SegmentId place) {
  const std::uint64_t bytes = contents_bytes(frames.size());
  std::string out;
  out.reserve(bytes);
  append_frame(out, {.kind = FrameKind::Contents, .order = order, .size = bytes - kFrameBytes},
               place);
  for (const PlacedFrame& placed : frames) append_line(out, placed);
  append_checksum(out, kFrameBytes, place);
  const std::size_t tail = out.size();
  put_number(out, at);
  append_checksum(out, tail, place);
  return out;
}

std::optional<std::uint64_t> contents_begin(std::string_view tail, SegmentId place) {
  if (tail.size() != kSegmentTailBytes || !take_checksum(tail, place)) return std::nullopt;
  return take_number<std::uint64_t>(tail);
}

bool may_be_contents(const Frame& frame, std::uint64_t at, std::uint64_t bytes) {
  if (at < kSegmentHeaderBytes || at > kMostRecordEnd || bytes < contents_bytes(0)) return false;
  const std::uint64_t most = (at - kSegmentHeaderBytes) / kFrameBytes;  // no record is shorter
  return frame.kind == FrameKind::Contents && frame.size == bytes - kFrameBytes &&
         bytes <= contents_bytes(most) && (bytes - contents_bytes(0)) % kLineBytes == 0;
}

Result<std::vector<PlacedFrame>> read_contents(std::string_view bytes, std::uint64_t at,
                                               SegmentId place) {
  if (bytes.size() < contents_bytes(0)) return corrupt("its contents are cut");
  const Result<Frame> frame = read_frame(bytes.substr(0, kFrameBytes), place);
  if (!frame) return std::unexpected(frame.error());
  std::string_view in = bytes.substr(kFrameBytes);
  if (!may_be_contents(*frame, at, bytes.size())) return corrupt("its contents are none");
  const std::string_view tail = in.substr(in.size() - kSegmentTailBytes);
  in.remove_suffix(kSegmentTailBytes);
  if (contents_begin(tail, place) != at) return corrupt("its contents stood elsewhere");
  if (!take_checksum(in, place)) return corrupt("its contents have changed");
  std::vector<PlacedFrame> frames;
  frames.reserve(in.size() / kLineBytes);
  std::uint64_t next = kSegmentHeaderBytes;
  while (!in.empty()) {
    const auto placed = take_line(in);
    if (!placed || placed->at != next || placed->frame.stride() > at - next) {
      return corrupt("its contents tell of what cannot stand there");
    }
    next += placed->frame.stride();
    frames.push_back(*placed);
  }
  if (next != at) return corrupt("its contents leave out its last records");
  return frames;
}

}  // namespace weir::backends::disk
