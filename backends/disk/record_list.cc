#include "backends/disk/record_list.h"

#include <algorithm>
#include <string>
#include <utility>

#include "backends/disk/segment_reader.h"
#include "backends/record.h"

namespace weir::backends::disk {
namespace {

// Of a record, read at first: most heads are shorter.
constexpr std::uint64_t kFirstBytes = 512;
// Larger heads are of bodies that no value has.
constexpr std::uint64_t kMostHeadBytes = std::uint64_t{1024} * 1024;
// Looked at in one part.
constexpr std::size_t kMostFrames = 2048;
// Kept for the parts that follow: 3 MiB or so.
constexpr std::size_t kMostKept = 32 * kMostFrames;

// A place in the list: the segment's number, and of its frames the first that was not looked at.
constexpr unsigned kNumberShift = 32;

// More of the record, until `bytes` holds so many of it.
bool read_up_to(File& file, std::uint64_t at, std::uint64_t wanted, std::string& bytes) {
  if (bytes.size() >= wanted) return true;
  const Result<std::string> more = read_at(file, at + bytes.size(), wanted - bytes.size());
  if (more) bytes += *more;
  return bytes.size() == wanted;
}

}  // namespace

// The last ones of a segment that has grown since are not all there are.
bool ListedFrames::has(const Segment& segment, std::size_t at) const {
  const bool within = at >= first && at < first + frames.size();
  return number == segment.number() && within && (has_more || size == segment.file()->size());
}

// Null: the segment cannot be read, or there are none from `at` on.
std::shared_ptr<const ListedFrames> RecordList::frames_of(const Segment& segment,
                                                          std::size_t at) const {
  {
    const std::lock_guard lock(kept_->mutex);
    if (kept_->frames && kept_->frames->has(segment, at)) return kept_->frames;
  }
  auto listed = std::make_shared<ListedFrames>();
  listed->number = segment.number();
  listed->size = segment.file()->size();
  const Result<SegmentListing> listing = list_segment(*segment.file(), segment.id());
  if (!listing || at >= listing->frames.size()) return nullptr;
  const std::size_t end = std::min(at + kMostKept, listing->frames.size());
  listed->first = at;
  listed->frames.assign(listing->frames.begin() + static_cast<std::ptrdiff_t>(at),
                        listing->frames.begin() + static_cast<std::ptrdiff_t>(end));
  listed->has_more = end < listing->frames.size();
  listed->end = listing->end;
  const std::lock_guard lock(kept_->mutex);
  kept_->frames = listed;
  return listed;
}

RecordList::Part RecordList::read(char first_byte, std::uint64_t from, std::int64_t now_ms) const {
  const auto wanted = static_cast<std::uint32_t>(from >> kNumberShift);
  const std::shared_ptr<const Segment> segment = segments_->at_or_after(wanted);
  if (!segment) return {};
  Part part;
  part.next = (std::uint64_t{segment->number()} + 1) << kNumberShift;
  std::size_t at = segment->number() == wanted ? from & 0xffffffffU : 0;
  const std::shared_ptr<const ListedFrames> listed = frames_of(*segment, at);
  if (!listed) return part;
  part.end = listed->end;
  const std::size_t last = listed->first + listed->frames.size();
  const std::size_t end = std::min(at + kMostFrames, last);
  if (end < last || listed->has_more) {
    part.next = std::uint64_t{segment->number()} << kNumberShift | end;
  }
  for (; at < end; ++at) {
    const PlacedFrame& placed = listed->frames[at - listed->first];
    if (!is_entry(placed.frame.kind)) continue;
    auto entry = read_record(*segment, placed, first_byte, now_ms);
    if (!entry) continue;
    const RecordPlace place{segment->number(), placed.at, placed.frame.stride()};
    part.records.push_back({placed.frame.hash, place, std::move(*entry)});
  }
  return part;
}

// Empty: it is none of those that are asked for, or none at all.
std::optional<Listed> RecordList::read_record(const Segment& segment, const PlacedFrame& placed,
                                              char first_byte, std::int64_t now_ms) const {
  File& file = *segment.file();
  const std::uint64_t at = placed.at + kFrameBytes;
  const std::uint64_t size = placed.frame.size;
  std::string bytes;
  if (!read_up_to(file, at, std::min(size, kFirstBytes), bytes)) return std::nullopt;
  const auto head = record_head_bytes(bytes);
  if (!head || *head > size || *head > kMostHeadBytes) return std::nullopt;
  if (bytes.size() <= kRecordFixedBytes || bytes[kRecordFixedBytes] != first_byte) {
    return std::nullopt;
  }
  if (!read_up_to(file, at, *head, bytes)) return std::nullopt;
  const auto summary = summarize(std::string_view(bytes).substr(0, *head),
                                 time_.reading(segment.header().time), now_ms);
  if (!summary || summary->kind != EntryKind::Response) return std::nullopt;
  if (!summary->key.starts_with(first_byte)) return std::nullopt;
  return Listed{std::string(summary->key), summary->meta, summary->body_bytes};
}

}  // namespace weir::backends::disk
