// The segments as one log (docs/DISK_FORMAT.md): appends to the newest, begins the next when that
// is full, and makes room by reclaiming the oldest. On the executor, one caller at a time: it
// blocks.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "backends/disk/cache_folder.h"
#include "backends/disk/disk_time.h"
#include "backends/disk/index.h"
#include "backends/disk/kept_free.h"
#include "backends/disk/segment_writer.h"
#include "backends/disk/segments.h"
#include "base/executor.h"
#include "base/file_system.h"
#include "base/result.h"

namespace weir::backends::disk {

struct RoomLimits {
  // Bytes of all files, those included that readers merely hold.
  std::uint64_t max_size = 0;
  std::uint64_t threshold = 0;  // objects; 0 = no bound
  // What is left to others on the file system: the larger of the two.
  std::uint64_t min_free_bytes = 0;
  unsigned min_free_percent = 0;
};

// Of max_size, what the segments have in any case.
std::uint64_t least_room(std::uint64_t max_size);
// How many segments of the usual size that is.
std::uint64_t usual_segments(std::uint64_t max_size);

class SegmentLog {
 public:
  // All outlive it. What is sealed is synced by `executor`, behind its back. `first` is the number
  // of the first segment that it will make: beyond those of all that are there.
  SegmentLog(const CacheFolder& folder, Segments& segments, Index& index, const DiskTime& time,
             const RoomLimits& limits, const KeptFree& kept_free, std::uint64_t first,
             Executor& executor);

  // Goes on in the newest segment, which an earlier run has left, where there is room in it; before
  // anything is appended. False: it is left as it was.
  bool go_on(const SegmentRef& segment, const SegmentListing& listing);

  // Called for each record once it is written, in their order. An erasure's place is of no use to
  // anybody.
  using Publish = std::function<void(std::size_t record, const RecordPlace& place)>;
  struct Appended {
    std::size_t count = 0;  // of those from the front that are written: all, unless it failed
    Result<void> result;
  };
  Appended append(std::span<const NewRecord> records, const Publish& publish);

  // Seals the newest segment; the next append begins another one.
  void close();
  // Waits until the medium has all that is sealed.
  void sync();
  // Removes all segments. What the index says is its owner's affair.
  Result<void> clear();
  // Makes the limits hold that were set, or what is to be kept free, when these segments had been
  // there already.
  void shrink();
  // Goes by these limits from now on. Segments that are there keep their size.
  void limit(const RoomLimits& limits);

  // Bytes of all segments as they are, not as they may grow. Any thread.
  std::uint64_t bytes() const {
    return segments_.bytes() - unused_.load(std::memory_order_relaxed);
  }
  // Objects that had to leave, by now. Any thread.
  std::uint64_t evictions() const { return evictions_.load(std::memory_order_relaxed); }

 private:
  std::uint64_t room() const;
  std::size_t fitting(std::span<const NewRecord> records) const;
  bool fits(std::uint64_t bytes, std::size_t records) const;
  bool over_threshold(std::span<const NewRecord> coming) const;
  Result<void> begin(std::uint64_t record_bytes);
  bool has_free(std::uint64_t bytes) const;
  Result<void> leave_free(std::uint64_t bytes);
  void write_to(std::unique_ptr<SegmentWriter> writer, SegmentRef segment, std::uint64_t planned);
  bool make_room(bool keep_used);
  void sync_soon();
  void sync_sealed(Folder& folder);
  void note_end();
  Result<std::vector<RecordPlace>> write(std::span<const NewRecord> records);
  Result<RecordPlace> write_one(const NewRecord& record);
  static RecordPlace place_in(std::uint32_t segment, const PlacedFrame& placed);
  bool reclaim(bool keep_used);
  void keep_hot(File& file, std::uint32_t number, const std::vector<PlacedFrame>& frames);
  bool copy(File& file, std::uint32_t number, std::span<const PlacedFrame> frames);
  bool copy_large(File& file, std::uint32_t number, const PlacedFrame& head);
  void forget(std::uint32_t number, const std::vector<PlacedFrame>& frames);

  Folder& folder() const { return *folder_.folder; }

  const CacheFolder& folder_;
  Segments& segments_;
  Index& index_;
  const DiskTime& time_;
  RoomLimits limits_;
  const KeptFree& kept_free_;
  std::uint64_t segment_bytes_;  // of one of the usual size
  std::size_t most_records_;     // in one
  std::uint64_t next_number_;
  std::atomic<std::uint64_t> orders_;

  std::unique_ptr<SegmentWriter> writer_;  // of current_; null: the next append begins one
  SegmentRef current_;
  std::uint64_t planned_ = 0;    // what current_ may grow to
  std::uint64_t keep_left_ = 0;  // bytes that may still be kept in current_

  std::atomic<std::uint64_t> unused_{0};  // of planned_
  std::atomic<std::uint64_t> evictions_{0};

  std::atomic<bool> sync_scheduled_{false};
  SerialTasks syncs_;  // last: they use this, and hold the folder, which is locked
};

}  // namespace weir::backends::disk
