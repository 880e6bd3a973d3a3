// How the log makes room: the oldest segment goes, and what is used of it is written anew.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backends/disk/piece_list.h"
#include "backends/disk/segment_log.h"
#include "backends/disk/segment_reader.h"
#include "backends/record.h"

namespace weir::backends::disk {
namespace {

// Kept objects are copied together, of about so many bytes.
constexpr std::uint64_t kCopyBytes = std::uint64_t{1024} * 1024;

// So many bytes from there on, or none.
std::optional<std::string> read_exactly(File& file, std::uint64_t at, std::uint64_t bytes) {
  Result<std::string> got = read_at(file, at, bytes);
  if (!got || got->size() != bytes) return std::nullopt;
  return std::move(*got);
}

// A head, and where the pieces of its body lie.
struct LargeRecord {
  std::string head;
  std::vector<PiecePlace> pieces;
};

std::optional<LargeRecord> read_large(File& file, const PlacedFrame& placed) {
  auto bytes = read_exactly(file, placed.at + kFrameBytes, placed.frame.size);
  const auto head = bytes ? record_head_bytes(*bytes) : std::nullopt;
  if (!head || *head > bytes->size()) return std::nullopt;
  auto pieces = read_pieces(std::string_view(*bytes).substr(*head));
  if (!pieces || pieces->empty()) return std::nullopt;
  bytes->resize(*head);
  return LargeRecord{std::move(*bytes), std::move(*pieces)};
}

}  // namespace

// The oldest segment goes. False: there is none, or it cannot be removed.
bool SegmentLog::reclaim(bool keep_used) {
  SegmentRef oldest = segments_.oldest();
  if (!oldest) return false;
  if (oldest == current_) close();
  const std::uint32_t number = oldest->number();
  const Result<SegmentListing> listing = list_segment(*oldest->file(), oldest->id());
  if (listing) {
    if (keep_used && writer_) keep_hot(*oldest->file(), number, listing->frames);
    forget(number, listing->frames);
  } else {
    evictions_.fetch_add(index_.erase_segment(number), std::memory_order_relaxed);
  }
  const auto removed = folder().remove(segment_name(number));
  if (!removed && removed.error().code != ErrorCode::NotFound) return false;
  oldest = nullptr;  // or its room would count until it is looked at again
  segments_.remove(number);
  return true;
}

void SegmentLog::forget(std::uint32_t number, const std::vector<PlacedFrame>& frames) {
  std::uint64_t gone = 0;
  for (const PlacedFrame& placed : frames) {
    const Frame& frame = placed.frame;
    if (is_entry(frame.kind) && index_.erase_at(frame.hash, place_in(number, placed))) ++gone;
  }
  evictions_.fetch_add(gone, std::memory_order_relaxed);
}

// Appends anew what was used since it was written or last kept, as far as that goes.
void SegmentLog::keep_hot(File& file, std::uint32_t number,
                          const std::vector<PlacedFrame>& frames) {
  std::vector<PlacedFrame> hot;
  std::vector<PlacedFrame> large;  // they get what the others leave
  std::uint64_t bytes = 0;
  const auto flush = [&] {
    bytes = 0;
    return copy(file, number, std::exchange(hot, {}));
  };
  for (const PlacedFrame& placed : frames) {
    if (!is_entry(placed.frame.kind)) continue;
    const std::uint64_t stride = placed.frame.stride();
    if (stride > keep_left_) continue;
    if (index_.state(placed.frame.hash, place_in(number, placed)) != Index::State::Used) continue;
    if (placed.frame.kind == FrameKind::Head) {
      large.push_back(placed);
      continue;
    }
    if (!fits(bytes + stride, hot.size() + 1)) break;
    keep_left_ -= stride;
    bytes += stride;
    hot.push_back(placed);
    if (bytes >= kCopyBytes && !flush()) return;
  }
  if (!flush()) return;
  for (const PlacedFrame& head : large) {
    if (!copy_large(file, number, head)) return;
  }
}

// False: the medium fails; what was not copied goes.
bool SegmentLog::copy(File& file, std::uint32_t number, std::span<const PlacedFrame> frames) {
  if (frames.empty()) return true;
  std::vector<std::string> bytes;
  std::vector<NewRecord> records;
  bytes.reserve(frames.size());  // the records point into it
  for (const PlacedFrame& placed : frames) {
    auto record = read_exactly(file, placed.at + kFrameBytes, placed.frame.size);
    if (!record) return false;
    records.push_back({.kind = placed.frame.kind,
                       .hash = placed.frame.hash,
                       .bytes = bytes.emplace_back(std::move(*record))});
  }
  const auto copies = write(records);
  if (!copies) return false;
  for (std::size_t i = 0; i < copies->size(); ++i) {
    index_.move(frames[i].frame.hash, place_in(number, frames[i]), (*copies)[i]);
  }
  return true;
}

// A large object whose pieces all lie here: they first, then a head that tells where they are now.
// Of one that reaches into another segment nothing is kept. False as for copy().
bool SegmentLog::copy_large(File& file, std::uint32_t number, const PlacedFrame& head) {
  std::optional<LargeRecord> large = read_large(file, head);
  if (!large) return true;
  std::uint64_t bytes = head.frame.stride();
  for (const PiecePlace& piece : large->pieces) {
    if (piece.segment != number || piece.size > keep_left_) return true;
    bytes += stride_of(piece.size);
    if (bytes > keep_left_) return true;
  }
  if (!fits(bytes, large->pieces.size() + 1)) return true;
  keep_left_ -= bytes;
  std::vector<PiecePlace> pieces;
  for (const PiecePlace& from : large->pieces) {
    const auto piece = read_exactly(file, from.at, from.size);
    if (!piece) return false;
    const auto copied = write_one({.kind = FrameKind::Body, .bytes = *piece});
    if (!copied) return false;
    pieces.push_back({copied->segment, copied->at + kFrameBytes, from.size});
  }
  append_pieces(large->head, pieces);
  const auto copied = write_one({.kind = FrameKind::Head,
                                 .hash = head.frame.hash,
                                 .bytes = large->head,
                                 .body_segment = pieces.front().segment,
                                 .body_at = pieces.front().at - kFrameBytes});
  if (!copied) return false;
  index_.move(head.frame.hash, place_in(number, head), *copied);
  return true;
}

}  // namespace weir::backends::disk
