// What a folder held when it was opened: its segments are put in their table at once, and their
// records told one segment a turn, newest first (docs/DISK_FORMAT.md, "Opening a folder"). On the
// executor, one caller at a time: it blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backends/disk/cache_folder.h"
#include "backends/disk/disk_time.h"
#include "backends/disk/index.h"
#include "backends/disk/key_set.h"
#include "backends/disk/segment_reader.h"
#include "backends/disk/segments.h"
#include "base/file_system.h"

namespace weir::backends::disk {

class Recovery {
 public:
  // Opens those of the folder's segments that can be believed and adds them to `segments`, which
  // outlives it. An older one can be only where all that are newer are there, and whole: what has
  // changed of those may have replaced, or erased, what is in it. It goes, and that is said.
  // Fails where one cannot be opened for a reason that says nothing of what is in it.
  static Result<Recovery> begin(const CacheFolder& folder, Segments& segments);

  // What the newest segment says of the time.
  std::optional<DiskTime::Before> time() const { return time_; }
  // Beyond the numbers of all segments that are left there.
  std::uint64_t next_number() const { return next_number_; }

  // Reads the newest segment that was not read yet, and calls `found` for the last record of each
  // key that was not met before. False: all are read.
  using Found = std::function<void(const Hash128& key, const RecordPlace& place)>;
  // Asked of the newest one, which may not be full: takes it and goes on in it, or is false and has
  // changed nothing.
  using GoOn = std::function<bool(const SegmentRef& segment, const SegmentListing& listing)>;
  bool next(const Found& found, const GoOn& go_on);

  std::size_t segments_left() const { return left_.size(); }
  std::size_t segments_in_all() const { return in_all_; }

 private:
  enum class Opened : std::uint8_t {
    Sound,
    Begun,    // a process had just begun it when it ended: nothing can have been in it
    Changed,  // by whomever: what was in it is not known
  };

  Recovery(const CacheFolder& folder, Segments& segments);
  Result<Opened> open(std::uint64_t number);
  Opened look_at_header(std::unique_ptr<File> file, std::uint64_t number);
  void drop(std::uint64_t number);
  void drop_older(std::span<const std::uint64_t> numbers);
  void tell(std::uint32_t number, const std::vector<PlacedFrame>& frames, const Found& found);
  DiskTime::Before newest_time(const Segment& segment) const;
  bool is_head_with_body(const Frame& frame) const;
  void seal(const SegmentRef& segment, SegmentListing listing);

  std::shared_ptr<Folder> folder_;
  std::string path_;
  Segments* segments_;
  std::vector<std::uint64_t> left_;  // ascending
  std::size_t in_all_ = 0;
  std::uint64_t next_number_ = 0;
  std::optional<Result<SegmentListing>> newest_;  // of the newest segment, until next() has it
  std::optional<DiskTime::Before> time_;
  // Erased in what was read: what lies behind does not count.
  KeySet erased_;
};

}  // namespace weir::backends::disk
