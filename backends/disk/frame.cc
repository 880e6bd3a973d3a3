// The layout: magic, kind, three zero bytes, the fields (order, hash, size, body's segment and
// place), and the checksum of all these.
#include "backends/disk/frame.h"

#include <array>

#include "base/check.h"
#include "base/little_endian.h"

namespace weir::backends::disk {
namespace {

constexpr std::uint32_t kMagic = 0x46524957;  // "WIRF"
// Far more than any disk: sums of places and sizes are numbers still.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 62U;

auto corrupt(const char* why) {
  return fail(ErrorCode::Corrupt, std::string("a frame: ") + why);
}

constexpr std::size_t kZerosBehindKind = 3;

bool is_kind(std::uint8_t kind) {
  return kind >= static_cast<std::uint8_t>(FrameKind::Object) &&
         kind <= static_cast<std::uint8_t>(FrameKind::Contents);
}

}  // namespace

std::uint64_t SegmentId::seed() const {
  const std::array<std::uint64_t, 2> place{swapped_unless_little_endian(folder),
                                           swapped_unless_little_endian(number)};
  return stable_hash64({reinterpret_cast<const char*>(place.data()), sizeof place});
}

void append_frame_fields(std::string& out, const Frame& frame) {
  put_number(out, frame.order);
  put_number(out, frame.hash.low);
  put_number(out, frame.hash.high);
  put_number(out, frame.size);
  put_number(out, frame.body_segment);
  put_number(out, frame.body_at);
}

bool take_frame_fields(std::string_view& in, Frame& frame) {
  frame.order = take_number<std::uint64_t>(in);
  frame.hash.low = take_number<std::uint64_t>(in);
  frame.hash.high = take_number<std::uint64_t>(in);
  frame.size = take_number<std::uint64_t>(in);
  frame.body_segment = take_number<std::uint64_t>(in);
  frame.body_at = take_number<std::uint64_t>(in);
  return frame.size <= kMostBytes && frame.body_at <= kMostBytes;
}

void append_kind(std::string& out, FrameKind kind, std::size_t zeros) {
  put_number(out, static_cast<std::uint8_t>(kind));
  out.append(zeros, '\0');
}

std::optional<FrameKind> take_kind(std::string_view& in, std::size_t zeros) {
  const auto kind = take_number<std::uint8_t>(in);
  const bool padded = in.substr(0, zeros).find_first_not_of('\0') == std::string_view::npos;
  in.remove_prefix(zeros);
  if (!is_kind(kind) || !padded) return std::nullopt;
  return static_cast<FrameKind>(kind);
}

void append_checksum(std::string& out, std::size_t since, SegmentId place) {
  put_number(out, stable_hash64(std::string_view(out).substr(since), place.seed()));
}

bool take_checksum(std::string_view& bytes, SegmentId place) {
  const std::string_view covered = bytes.substr(0, bytes.size() - kChecksumBytes);
  std::string_view sum = bytes.substr(covered.size());
  bytes = covered;
  return take_number<std::uint64_t>(sum) == stable_hash64(covered, place.seed());
}

void append_frame(std::string& out, const Frame& frame, SegmentId place) {
  const std::size_t begin = out.size();
  put_number(out, kMagic);
  append_kind(out, frame.kind, kZerosBehindKind);
  append_frame_fields(out, frame);
  append_checksum(out, begin, place);
  WEIR_CHECK(out.size() == begin + kFrameBytes);
}

bool begins_like_frame(std::string_view bytes) {
  return bytes.size() >= sizeof kMagic && take_number<std::uint32_t>(bytes) == kMagic;
}

Result<Frame> read_frame(std::string_view bytes, SegmentId place) {
  WEIR_CHECK(bytes.size() == kFrameBytes);
  std::string_view in = bytes;
  if (!take_checksum(in, place)) return corrupt("it has changed, or stood elsewhere");
  if (take_number<std::uint32_t>(in) != kMagic) return corrupt("it is none");
  const auto kind = take_kind(in, kZerosBehindKind);
  if (!kind) return corrupt("of an unknown kind");
  Frame frame;
  frame.kind = *kind;
  if (!take_frame_fields(in, frame)) return corrupt("too large to be one");
  return frame;
}

Hash128 key_hash(std::string_view key, std::uint64_t folder) {
  return stable_hash128(key, folder);
}

}  // namespace weir::backends::disk
