// What the segments of a folder hold, looked through a part at a time. Any thread; may block: for
// the executor.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "backends/disk/disk_time.h"
#include "backends/disk/index.h"
#include "backends/disk/segments.h"
#include "backends/listing.h"

namespace weir::backends::disk {

class RecordList {
 public:
  RecordList(std::shared_ptr<const Segments> segments, const DiskTime& time)
      : segments_(std::move(segments)), time_(time) {}

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
  std::optional<Listed> read_record(const Segment& segment, const PlacedFrame& placed,
                                    char first_byte, std::int64_t now_ms) const;

  const std::shared_ptr<const Segments> segments_;
  const DiskTime time_;
};

}  // namespace weir::backends::disk
