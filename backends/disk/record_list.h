// What the segments of a folder hold, looked through a part at a time. Any thread; may block: for
// the executor.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "backends/disk/disk_time.h"
#include "backends/disk/index.h"
#include "backends/disk/segment_format.h"
#include "backends/disk/segments.h"
#include "backends/listing.h"

namespace weir::backends::disk {

// Frames of the segment that was looked through last: to list a segment is to read all of it, and a
// part of a listing is far less than that.
struct ListedFrames {
  std::uint32_t number = 0;  // of the segment
  std::uint64_t size = 0;    // of its file, when it was listed
  std::size_t first = 0;     // of all frames there
  std::vector<PlacedFrame> frames;
  bool has_more = false;  // of that segment, behind these
  std::uint64_t end = 0;  // of the segment's records

  bool has(const Segment& segment, std::size_t at) const;
};

class RecordList {
 public:
  // What one part has listed and the next can use.
  struct Kept {
    std::mutex mutex;
    std::shared_ptr<const ListedFrames> frames;  // guarded by mutex
  };
  RecordList(std::shared_ptr<const Segments> segments, const DiskTime& time,
             std::shared_ptr<Kept> kept)
      : segments_(std::move(segments)), time_(time), kept_(std::move(kept)) {}

  // A response's record that lies there. Whether its key still leads to it the index knows.
  struct Found {
    Hash128 hash;
    RecordPlace place;
    Listed entry;
  };
  struct Part {
    std::vector<Found> records;
    std::uint64_t end = 0;              // in their segment, behind what was there by then
    std::optional<std::uint64_t> next;  // as ListPart has it
  };
  // Those whose keys begin with that byte. What is copied meanwhile, to make room, is found later.
  Part read(char first_byte, std::uint64_t from, std::int64_t now_ms) const;

 private:
  std::shared_ptr<const ListedFrames> frames_of(const Segment& segment, std::size_t at) const;
  std::optional<Listed> read_record(const Segment& segment, const PlacedFrame& placed,
                                    char first_byte, std::int64_t now_ms) const;

  const std::shared_ptr<const Segments> segments_;
  const DiskTime time_;
  const std::shared_ptr<Kept> kept_;
};

}  // namespace weir::backends::disk
