// Reads the record that the index says lies there, and believes it only when every byte is as it
// was written and the key is the one asked for. Any thread.
#pragma once

#include <cstdint>

#include "backends/disk/disk_time.h"
#include "backends/disk/index.h"
#include "backends/disk/segments.h"
#include "backends/entry.h"

namespace weir::backends::disk {

struct RecordRead {
  enum class Status : std::uint8_t {
    Found,
    Elsewhere,  // the bytes are not in memory: wait for the medium
    Stranger,   // another key's, of the same place in the index
    Corrupt,    // no sound record of that key
    Failed,     // the medium failed
  };
  Status status = Status::Failed;
  EntryRef entry;  // Found
};

// Never waits; for loops. What is larger than kAtOnceBytes counts as being elsewhere.
inline constexpr std::uint64_t kAtOnceBytes = std::uint64_t{288} * 1024;
RecordRead read_resident(const Segment& segment, const RecordPlace& place, const Hash128& hash,
                         keys::KeyView key, const DiskTime& time, std::int64_t now_ms);
// May wait; for the executor. Nothing is elsewhere.
RecordRead read_record(const Segment& segment, const RecordPlace& place, const Hash128& hash,
                       keys::KeyView key, const DiskTime& time, std::int64_t now_ms);

}  // namespace weir::backends::disk
