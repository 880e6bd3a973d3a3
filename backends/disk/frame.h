// What stands before every record in a segment (docs/DISK_FORMAT.md): what follows, how much of it,
// and under which key. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"

namespace weir::backends::disk {

inline constexpr std::size_t kFrameBytes = 64;
// Records begin at multiples of this.
inline constexpr std::uint64_t kAlignment = 8;
// Where a segment's last record ends at most: an index keeps places, and sizes, as 32 bits of
// kAlignment. The contents may lie behind.
inline constexpr std::uint64_t kMostRecordEnd = kAlignment << 32U;

// Where a frame stands. Its checksum depends on it: one that was copied from another segment, or
// from another folder, is none here.
struct SegmentId {
  std::uint64_t folder = 0;
  std::uint64_t number = 0;

  // For checksums of what stands there.
  std::uint64_t seed() const;
  friend bool operator==(const SegmentId&, const SegmentId&) = default;
};

enum class FrameKind : std::uint8_t {
  Object = 1,    // head and body in one record
  Body = 2,      // of no account until a head refers to it
  Head = 3,      // its body lies elsewhere
  Erased = 4,    // the key's older records are gone
  Contents = 5,  // of the segment, which ends with it
};

// Its key leads to it.
constexpr bool is_entry(FrameKind kind) {
  return kind == FrameKind::Object || kind == FrameKind::Head;
}

// The bytes that fill `size` up to a multiple of kAlignment.
constexpr std::uint64_t padding_of(std::uint64_t size) {
  return (kAlignment - size % kAlignment) % kAlignment;
}
// From a frame with so many bytes behind it to the next one.
constexpr std::uint64_t stride_of(std::uint64_t size) {
  return kFrameBytes + size + padding_of(size);
}

struct Frame {
  FrameKind kind = FrameKind::Object;
  std::uint64_t order = 0;  // grows with each record of the folder: of a key the last one counts
  Hash128 hash{};           // of the key: key_hash()
  std::uint64_t size = 0;   // bytes that follow, without the padding behind them
  // Of a Head: the frame of its body. Else 0.
  std::uint64_t body_segment = 0;
  std::uint64_t body_at = 0;

  std::uint64_t stride() const { return stride_of(size); }
  friend bool operator==(const Frame&, const Frame&) = default;
};

void append_frame(std::string& out, const Frame& frame, SegmentId place);
// Whether it is worth a closer look: for who searches.
bool begins_like_frame(std::string_view bytes);
// `bytes` is kFrameBytes long. Corrupt: anything but a frame of that segment.
Result<Frame> read_frame(std::string_view bytes, SegmentId place);

// ---- for what else is written in a segment ----

// What a frame says, but for its kind: in a frame, and again in the contents of its segment.
inline constexpr std::size_t kFrameFieldBytes = 48;
void append_frame_fields(std::string& out, const Frame& frame);
// False: sums with its sizes and places would overflow.
bool take_frame_fields(std::string_view& in, Frame& frame);
// The kind, with so many zero bytes behind it. Nothing: it is none, or they are others.
void append_kind(std::string& out, FrameKind kind, std::size_t zeros);
std::optional<FrameKind> take_kind(std::string_view& in, std::size_t zeros);
// The checksum of what was appended since then, and whether that at the end of `bytes`, which holds
// one, is right; it is taken off.
inline constexpr std::size_t kChecksumBytes = 8;
void append_checksum(std::string& out, std::size_t since, SegmentId place);
bool take_checksum(std::string_view& bytes, SegmentId place);

// A key's hash in this folder. The folder's id is drawn at random and nobody outside knows it, so
// that nobody can choose keys that collide.
Hash128 key_hash(std::string_view key, std::uint64_t folder);

}  // namespace weir::backends::disk
