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

Recovery::Recovery(const CacheFolder& folder, Segments& segments)
    : folder_(folder.folder), path_(folder.path), segments_(&segments) {}

Result<Recovery> Recovery::begin(const CacheFolder& folder, Segments& segments) {
  Recovery out(folder, segments);
  std::vector<std::uint64_t> older = folder.segments;  // than those that were looked at
  // None of ours has so many.
  while (!older.empty() && older.back() > Segments::kMostNumber) older.pop_back();
  bool believed = true;
  while (believed && !older.empty()) {
    const std::uint64_t number = older.back();
    older.pop_back();
    const Result<Opened> opened = out.open(number);
    if (!opened) return std::unexpected(opened.error());
    const bool is_newest = out.left_.empty();
    if (*opened == Opened::Sound) {
      out.left_.push_back(number);
    } else if (*opened == Opened::Changed || !is_newest) {
      believed = false;
    }
    // The number of one that was merely begun is used again: none may be missing.
    if (is_newest) out.next_number_ = *opened == Opened::Begun ? number : number + 1;
    if (believed && !older.empty() && older.back() + 1 != number) {
      log_warn("disk: {}: {} is missing", out.path_, segment_name(number - 1));
      believed = false;
    }
  }
  out.drop_older(older);
  std::ranges::reverse(out.left_);
  out.in_all_ = folder.segments.size();
  if (out.left_.empty()) return out;
  const SegmentRef newest = segments.find(static_cast<std::uint32_t>(out.left_.back()));
  out.newest_.emplace(list_segment(*newest->file(), newest->id()));
  out.time_ = out.newest_time(*newest);
  return out;
}

Result<Recovery::Opened> Recovery::open(std::uint64_t number) {
  Result<std::unique_ptr<File>> file = folder_->open(segment_name(number));
  if (file) return look_at_header(std::move(*file), number);
  const Error& error = file.error();
  if (error.code == ErrorCode::System) return std::unexpected(error);
  log_warn("disk: {}; left alone", error.message);
  return Opened::Changed;
}

// A plain file of ours without a header of its own goes: it would take room that nobody counts.
Recovery::Opened Recovery::look_at_header(std::unique_ptr<File> file, std::uint64_t number) {
  std::string bytes(kSegmentHeaderBytes, '\0');
  const Result<std::size_t> got = file->read(0, bytes);
  if (!got) {
    log_warn("disk: {}; left alone", got.error().message);
    return Opened::Changed;
  }
  bytes.resize(*got);
  const auto header = read_segment_header(bytes, {segments_->folder(), number});
  if (!header) {
    drop(number);
    // Zeros: so it may look when the machine has lost its power.
    const bool zeros = bytes.find_first_not_of('\0') == std::string::npos;
    if (zeros || *got < kSegmentHeaderBytes) return Opened::Begun;
    log_warn("disk: {}: {}: {}; it goes", path_, segment_name(number), header.error().message);
    return Opened::Changed;
  }
  const std::uint64_t size = file->size();
  segments_->add(*header, std::move(file))->set_bytes(size);
  return Opened::Sound;
}

// What is no plain file of ours is left alone.
void Recovery::drop(std::uint64_t number) {
  const std::string name = segment_name(number);
  if (!folder_->open(name)) return;
  if (const auto removed = folder_->remove(name); !removed) {
    log_warn("disk: {}", removed.error().message);
  }
}

void Recovery::drop_older(std::span<const std::uint64_t> numbers) {
  for (const std::uint64_t number : numbers) {
    drop(number);
    segments_->remove(static_cast<std::uint32_t>(number));
  }
  if (numbers.empty()) return;
  log_warn("disk: {}: what is older than that is not believed any more, and goes", path_);
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

bool Recovery::next(const Found& found, const GoOn& go_on) {
  if (left_.empty()) {
    erased_ = {};
    return false;
  }
  const auto number = static_cast<std::uint32_t>(left_.back());
  left_.pop_back();
  const bool is_newest = newest_.has_value();
  auto listed = std::exchange(newest_, std::nullopt);
  const SegmentRef segment = segments_->find(number);
  if (!segment) return true;  // it had to make room
  Result<SegmentListing> listing =
      listed ? std::move(*listed) : list_segment(*segment->file(), segment->id());
  if (!listing) {
    log_warn("disk: {}: {}: {}; nothing in it counts", path_, segment_name(number),
             listing.error().message);
    drop_older(std::exchange(left_, {}));
    return true;
  }
  tell(number, listing->frames, found);
  // A torn tail is what a crash leaves in the newest one alone: others were sealed by then.
  const SegmentListing::Rest rest = listing->rest;
  const bool is_whole =
      rest == SegmentListing::Rest::Nothing || (rest == SegmentListing::Rest::Torn && is_newest);
  if (!is_whole) {
    log_warn("disk: {}: {} has changed: not all of its records are found", path_,
             segment_name(number));
    drop_older(std::exchange(left_, {}));
  }
  if (is_newest && is_whole && go_on(segment, *listing)) return true;
  if (!listing->sealed) seal(segment, std::move(*listing));
  return true;
}

void Recovery::tell(std::uint32_t number, const std::vector<PlacedFrame>& frames,
                    const Found& found) {
  for (const PlacedFrame& placed : std::views::reverse(frames)) {
    const Frame& frame = placed.frame;
    if (erased_.contains(frame.hash)) continue;
    const bool is_whole = frame.kind == FrameKind::Object || is_head_with_body(frame);
    const bool hides = frame.kind == FrameKind::Erased || frame.kind == FrameKind::Head;
    if (!is_whole && hides) erased_.insert(frame.hash);  // what lies behind does not count
    if (is_whole) found(frame.hash, {number, placed.at, frame.stride()});
  }
}

// Its body's first piece is there; the others are newer.
bool Recovery::is_head_with_body(const Frame& frame) const {
  return frame.kind == FrameKind::Head && frame.body_segment <= Segments::kMostNumber &&
         segments_->find(static_cast<std::uint32_t>(frame.body_segment)) != nullptr;
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
