#include "backends/disk/recovery.h"

#include <algorithm>
#include <atomic>
#include <ranges>
#include <string>
#include <utility>

#include "backends/disk/segment_writer.h"
#include "backends/record.h"
#include "base/log.h"

namespace weir::backends::disk {

Recovery::Recovery(Folder& folder, Segments& segments, std::span<const std::uint64_t> numbers)
    : folder_(folder), segments_(segments) {
  for (const std::uint64_t number : numbers) {
    next_number_ = std::max(next_number_, number + 1);
    if (open(number)) left_.push_back(static_cast<std::uint32_t>(number));
  }
  in_all_ = left_.size();
  if (left_.empty()) return;
  const SegmentRef newest = segments_.find(left_.back());
  newest_.emplace(list_segment(*newest->file(), newest->id()));
  time_ = newest_time(*newest);
}

// Null: there is nothing of use in it. A plain file of ours without a header of its own goes: it
// was begun when a process ended, or has changed since, and would take room that nobody counts.
SegmentRef Recovery::open(std::uint64_t number) {
  const std::string name = segment_name(number);
  if (number > Segments::kMostNumber) return nullptr;
  Result<std::unique_ptr<File>> file = folder_.open(name);
  if (!file) {
    log_warn("disk: {}; left alone", file.error().message);
    return nullptr;
  }
  std::string bytes(kSegmentHeaderBytes, '\0');
  const Result<std::size_t> got = (*file)->read(0, bytes);
  if (!got) {
    log_warn("disk: {}; left alone", got.error().message);
    return nullptr;
  }
  const bool was_begun = *got < bytes.size();  // and not more: that happens, and is nothing to tell
  const auto header = read_segment_header(bytes, {segments_.folder(), number});
  if (!header) {
    const Result<void> removed = folder_.remove(name);
    if (!removed) log_warn("disk: {}", removed.error().message);
    if (!was_begun) log_warn("disk: {}: {}; it goes", name, header.error().message);
    return nullptr;
  }
  const std::uint64_t size = (*file)->size();
  SegmentRef segment = segments_.add(*header, std::move(*file));
  segment->set_bytes(size);
  return segment;
}

// The last response in it is its newest, or nearly so: only that is asked.
DiskTime::Before Recovery::newest_time(const Segment& segment) const {
  DiskTime::Before out{segment.header().time, segment.header().time.wall_ms};
  if (!*newest_) return out;
  for (const PlacedFrame& placed : std::views::reverse((*newest_)->frames)) {
    if (placed.frame.kind != FrameKind::Object) continue;
    std::string bytes(std::min<std::uint64_t>(placed.frame.size, kRecordFixedBytes), '\0');
    const Result<std::size_t> got = segment.file()->read(placed.at + kFrameBytes, bytes);
    if (got && *got == bytes.size()) {
      out.newest_ms = std::max(out.newest_ms, record_time_ms(bytes).value_or(0));
    }
    break;
  }
  return out;
}

bool Recovery::next(const Found& found) {
  if (left_.empty()) {
    erased_ = {};
    return false;
  }
  const std::uint32_t number = left_.back();
  left_.pop_back();
  auto listed = std::exchange(newest_, std::nullopt);
  const SegmentRef segment = segments_.find(number);
  if (!segment) return true;  // it had to make room
  Result<SegmentListing> listing =
      listed ? std::move(*listed) : list_segment(*segment->file(), segment->id());
  if (!listing) {
    log_warn("disk: {}: {}; nothing in it counts", segment_name(number), listing.error().message);
    return true;
  }
  for (const PlacedFrame& placed : std::views::reverse(listing->frames)) {
    const Frame& frame = placed.frame;
    if (erased_.contains(frame.hash)) continue;
    const bool is_whole = frame.kind == FrameKind::Object || is_head_with_body(frame);
    const bool hides = frame.kind == FrameKind::Erased || frame.kind == FrameKind::Head;
    if (!is_whole && hides) erased_.insert(frame.hash);  // what lies behind does not count
    if (is_whole) found(frame.hash, {number, placed.at, frame.stride()});
  }
  if (!listing->sealed) seal(segment, std::move(*listing));
  segment->seal();
  return true;
}

// Its body's first piece is there; the others are newer.
bool Recovery::is_head_with_body(const Frame& frame) const {
  return frame.kind == FrameKind::Head && frame.body_segment <= Segments::kMostNumber &&
         segments_.find(static_cast<std::uint32_t>(frame.body_segment)) != nullptr;
}

// Cuts the torn tail off, and writes the contents, so that the next start need not walk. Where that
// fails it is walked again.
void Recovery::seal(const SegmentRef& segment, SegmentListing listing) {
  std::atomic<std::uint64_t> orders{listing.frames.empty() ? 0
                                                           : listing.frames.back().frame.order + 1};
  auto writer = SegmentWriter::resume(segment->file(), std::move(listing), orders);
  if (writer) [[maybe_unused]]
    const Result<void> sealed = (*writer)->seal();
  segment->set_bytes(segment->file()->size());
}

}  // namespace weir::backends::disk
