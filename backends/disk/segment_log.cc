#include "backends/disk/segment_log.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace weir::backends::disk {
namespace {

constexpr std::uint64_t kLeastSegment = std::uint64_t{64} * 1024;
constexpr std::uint64_t kUsualMostSegment = std::uint64_t{64} * 1024 * 1024;
// Each is an open file.
constexpr std::uint64_t kMostSegments = 1024;
// A segment in so many is what room is made by.
constexpr std::uint64_t kSegmentShare = 64;
constexpr std::uint64_t kThresholdShare = 16;
// The folder itself, its mark and its lock, in blocks.
constexpr std::uint64_t kBesideSegments = std::uint64_t{32} * 1024;
// Of the room, what readers may hold of removed segments before no more are removed.
constexpr std::uint64_t kHeldShare = 2;
// Of a segment, for objects that are kept.
constexpr std::uint64_t kKeepShare = 5;

std::uint64_t usual_bytes(std::uint64_t max_size) {
  const std::uint64_t share =
      std::clamp(max_size / kSegmentShare, kLeastSegment, kUsualMostSegment);
  return in_blocks(std::max(share, max_size / kMostSegments));
}

// A write of our own to a segment that others read.
class OwnWrite {
 public:
  explicit OwnWrite(const Segment& segment) : segment_(segment) {
    segment_.verified().begin_write();
  }
  ~OwnWrite() { segment_.verified().end_write(*segment_.file()); }
  OwnWrite(const OwnWrite&) = delete;
  OwnWrite& operator=(const OwnWrite&) = delete;

 private:
  const Segment& segment_;
};

std::size_t most_records_of(std::uint64_t threshold) {
  if (threshold == 0) return std::numeric_limits<std::size_t>::max();
  return std::max<std::uint64_t>(threshold / kThresholdShare, 1);
}

}  // namespace

std::uint64_t least_room(std::uint64_t max_size) {
  return max_size - std::min(max_size, kBesideSegments + most_kept_free(max_size));
}

std::uint64_t usual_segments(std::uint64_t max_size) {
  return max_size / usual_bytes(max_size) + 1;
}

SegmentLog::SegmentLog(const CacheFolder& folder, Segments& segments, Index& index,
                       const DiskTime& time, const RoomLimits& limits, const KeptFree& kept_free,
                       std::uint64_t first, Executor& executor)
    : folder_(folder),
      segments_(segments),
      index_(index),
      time_(time),
      limits_(limits),
      kept_free_(kept_free),
      segment_bytes_(usual_bytes(limits.max_size)),
      most_records_(most_records_of(limits.threshold)),
      next_number_(first),
      orders_(first << 36U),
      syncs_(executor) {}

// ---- appending ----

SegmentLog::Appended SegmentLog::append(std::span<const NewRecord> records,
                                        const Publish& publish) {
  Appended out;
  bool gave_up_oldest = false;
  while (out.count < records.size()) {
    const std::span<const NewRecord> rest = records.subspan(out.count);
    const std::size_t count = fitting(rest);
    if (count == 0) {
      out.result = begin(rest.front().bytes.size());
      if (!out.result) return out;
      continue;
    }
    if (over_threshold(rest.first(count)) && reclaim(false)) continue;
    const auto places = write(rest.first(count));
    if (!places) {
      // The disk is full all the same: once, the oldest are given up for it.
      const bool full = places.error().code == ErrorCode::TooLarge;
      if (full && !std::exchange(gave_up_oldest, true) && reclaim(false)) continue;
      out.result = std::unexpected(places.error());
      return out;
    }
    for (const RecordPlace& place : *places) publish(out.count++, place);
  }
  return out;
}

void SegmentLog::note_end() {
  unused_.store(writer_ ? planned_ - writer_->end() : 0, std::memory_order_relaxed);
}

// With what is written there already, and the contents at its end.
bool SegmentLog::fits(std::uint64_t bytes, std::size_t records) const {
  if (writer_->records() + records > most_records_) return false;
  const std::uint64_t contents = contents_bytes(writer_->records() + records);
  return writer_->end() + bytes + contents <= planned_;
}

// How many of them the newest segment can take.
std::size_t SegmentLog::fitting(std::span<const NewRecord> records) const {
  if (!writer_ || writer_->broken()) return 0;
  std::size_t count = 0;
  std::uint64_t bytes = 0;
  for (const NewRecord& record : records) {
    bytes += stride_of(record.bytes.size());
    if (!fits(bytes, count + 1)) break;
    ++count;
  }
  return count;
}

bool SegmentLog::over_threshold(std::span<const NewRecord> coming) const {
  if (limits_.threshold == 0) return false;
  std::uint64_t objects = index_.size();
  for (const NewRecord& record : coming) {
    if (is_entry(record.kind) && !index_.peek(record.hash)) ++objects;
  }
  return objects > limits_.threshold;
}

// Into the newest segment, which has room for them; where each lies.
Result<std::vector<RecordPlace>> SegmentLog::write(std::span<const NewRecord> records) {
  const auto placed = [&] {
    const OwnWrite writing(*current_);
    return writer_->append(records);
  }();
  if (!placed) return std::unexpected(placed.error());
  note_end();
  std::vector<RecordPlace> places;
  places.reserve(placed->size());
  for (const PlacedFrame& frame : *placed) places.push_back(place_in(current_->number(), frame));
  return places;
}

Result<RecordPlace> SegmentLog::write_one(const NewRecord& record) {
  const auto places = write(std::span(&record, 1));
  if (!places) return std::unexpected(places.error());
  return places->front();
}

RecordPlace SegmentLog::place_in(std::uint32_t segment, const PlacedFrame& placed) {
  return {segment, placed.at, placed.frame.stride()};
}

// ---- segments ----

// Bytes that all segments may take.
std::uint64_t SegmentLog::room() const {
  const std::uint64_t beside = kBesideSegments + kept_free_.bytes();
  return limits_.max_size - std::min(limits_.max_size, beside);
}

Result<void> SegmentLog::begin(std::uint64_t record_bytes) {
  close();
  // Without its mark nobody would know it again.
  if (const auto there = expect_still_there(folder_); !there) return there;
  if (next_number_ > Segments::kMostNumber) {
    return fail(ErrorCode::Unavailable, "the segments' numbers are used up: empty the folder");
  }
  const std::uint64_t needed = kSegmentHeaderBytes + stride_of(record_bytes) + contents_bytes(1);
  const std::uint64_t planned = std::max(segment_bytes_, in_blocks(needed));
  if (planned > limits_.max_size) return fail(ErrorCode::TooLarge, "larger than max_size");
  if (planned > room()) {
    return fail(ErrorCode::Unavailable, "the marks of what was purged take most of max_size");
  }
  segments_.close_removed();
  while (segments_.bytes() + planned > room()) {
    if (!make_room(false)) {
      return fail(ErrorCode::Unavailable, "slow readers hold what would have to be removed");
    }
  }
  if (const auto free = leave_free(planned); !free) return free;
  const SegmentHeader header{{segments_.folder(), next_number_}, time_.base()};
  auto writer = SegmentWriter::create(folder(), header, orders_);
  if (!writer) return std::unexpected(writer.error());
  ++next_number_;
  const SegmentRef segment = segments_.add(header, (*writer)->file());
  write_to(std::move(*writer), segment, planned);
  // So that there is room for the next one as well, before anything must be thrown out for it.
  while (segments_.bytes() + segment_bytes_ > room() && segments_.oldest() != current_ &&
         make_room(true)) {
  }
  return {};
}

void SegmentLog::write_to(std::unique_ptr<SegmentWriter> writer, SegmentRef segment,
                          std::uint64_t planned) {
  writer_ = std::move(writer);
  current_ = std::move(segment);
  current_->set_bytes(planned);
  planned_ = planned;
  keep_left_ = segment_bytes_ / kKeepShare;
  note_end();
}

bool SegmentLog::go_on(const SegmentRef& segment, const SegmentListing& listing) {
  WEIR_CHECK(!writer_ && segment == segments_.newest());
  const std::uint64_t taken = in_blocks(segment->file()->size());
  const bool has_room = listing.end + contents_bytes(listing.frames.size()) < segment_bytes_ &&
                        listing.frames.size() < most_records_ && taken <= segment_bytes_;
  if (!has_room || !time_.goes_on(listing.header.time)) return false;
  const std::uint64_t more = segment_bytes_ - taken;
  if (segments_.bytes() + more > room() || !has_free(more)) return false;
  auto writer = SegmentWriter::resume(segment->file(), listing, orders_);
  if (!writer) return false;
  write_to(std::move(*writer), segment, segment_bytes_);
  return true;
}

bool SegmentLog::has_free(std::uint64_t bytes) const {
  const Result<Folder::Space> space = folder().space();
  if (!space) return true;  // there is nothing to go by
  const std::uint64_t share = space->total / 100 * limits_.min_free_percent;
  const std::uint64_t min_free = std::max(limits_.min_free_bytes, share);
  return space->free >= bytes && space->free - bytes >= min_free;
}

Result<void> SegmentLog::leave_free(std::uint64_t bytes) {
  while (!has_free(bytes)) {
    if (!make_room(false)) {
      return fail(ErrorCode::Unavailable, "the disk has less than min_free left");
    }
  }
  return {};
}

// One that cannot be sealed is found again by walking through it. To wait for the medium here would
// keep all that is to be written waiting.
void SegmentLog::close() {
  if (!writer_) return;
  const bool sealed = [&] {
    const OwnWrite writing(*current_);
    return !writer_->broken() && writer_->seal().has_value();
  }();
  current_->set_bytes(writer_->file()->size());
  current_->owe_sync(sealed);
  if (sealed) sync_soon();
  writer_ = nullptr;
  current_ = nullptr;
  note_end();
}

// By removing the oldest segment, for new ones. False: there is none, or readers hold too much of
// what was removed. Then it makes room only once they have gone, and everything else would go
// before it. One segment may merely be held by its sync.
bool SegmentLog::make_room(bool keep_used) {
  const std::uint64_t most_held = std::max(room() / kHeldShare, segment_bytes_);
  return segments_.bytes_held() <= most_held && reclaim(keep_used);
}

void SegmentLog::sync_soon() {
  if (sync_scheduled_.exchange(true)) return;
  syncs_.run([this, folder = folder_.folder] { sync_sealed(*folder); });
}

// On the executor, beside the writer. What was removed before its turn came is left out, so that a
// slow medium never has more files held than there are segments.
void SegmentLog::sync_sealed(Folder& folder) {
  sync_scheduled_.store(false);
  Result<void> result;
  while (const SegmentRef segment = segments_.oldest_unsynced()) {
    segment->owe_sync(false);
    if (const auto synced = segment->file()->sync(); !synced) result = synced;
  }
  if (const auto named = folder.sync(); !named) result = named;
  if (!result) log_warn("disk: {}", result.error().message);
}

void SegmentLog::sync() {
  const SegmentRef newest = segments_.newest();
  if (newest) [[maybe_unused]]
    const Result<void> synced = newest->file()->sync();
  [[maybe_unused]] const Result<void> named = folder().sync();
}

Result<void> SegmentLog::clear() {
  writer_ = nullptr;
  current_ = nullptr;
  note_end();
  while (SegmentRef segment = segments_.oldest()) {
    const std::uint32_t number = segment->number();
    segment = nullptr;
    const auto removed = folder().remove(segment_name(number));
    if (!removed && removed.error().code != ErrorCode::NotFound) return removed;
    segments_.remove(number);
  }
  return {};
}

// The newest is not written on: it may have been begun for more than there is room for now.
void SegmentLog::limit(const RoomLimits& limits) {
  limits_ = limits;
  segment_bytes_ = usual_bytes(limits.max_size);
  most_records_ = most_records_of(limits.threshold);
  if (planned_ > segment_bytes_) close();
  shrink();
}

void SegmentLog::shrink() {
  segments_.close_removed();
  while (segments_.bytes() + segment_bytes_ > room() || over_threshold({})) {
    if (!reclaim(true)) return;
  }
}

}  // namespace weir::backends::disk
