// What a folder held when it was opened: its segments are put in their table at once, and their
// records told one segment a turn, newest first (docs/DISK_FORMAT.md, "Opening a folder"). On the
// executor, one caller at a time: it blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backends/disk/disk_time.h"
#include "backends/disk/index.h"
#include "backends/disk/key_set.h"
#include "backends/disk/segment_reader.h"
#include "backends/disk/segments.h"
#include "base/file_system.h"

namespace weir::backends::disk {

class Recovery {
 public:
  // Opens those of `numbers` (ascending) that are sound and adds them to `segments`; both outlive
  // it.
  Recovery(Folder& folder, Segments& segments, std::span<const std::uint64_t> numbers);

  // What the newest segment says of the time.
  std::optional<DiskTime::Before> time() const { return time_; }
  // Beyond the numbers of all segments, also of those that were left alone.
  std::uint64_t next_number() const { return next_number_; }

  // Reads the newest segment that was not read yet, and calls `found` for the last record of each
  // key that was not met before. False: all are read.
  using Found = std::function<void(const Hash128& key, const RecordPlace& place)>;
  bool next(const Found& found);

  std::size_t segments_left() const { return left_.size(); }
  std::size_t segments_in_all() const { return in_all_; }

 private:
  SegmentRef open(std::uint64_t number);
  DiskTime::Before newest_time(const Segment& segment) const;
  bool is_head_with_body(const Frame& frame) const;
  void seal(const SegmentRef& segment, SegmentListing listing);

  Folder& folder_;
  Segments& segments_;
  std::vector<std::uint32_t> left_;  // ascending
  std::size_t in_all_ = 0;
  std::uint64_t next_number_ = 0;
  std::optional<Result<SegmentListing>> newest_;  // of the newest segment, until next() has it
  std::optional<DiskTime::Before> time_;
  // Erased in what was read: what lies behind does not count.
  KeySet erased_;
};

}  // namespace weir::backends::disk
