// Which records a segment holds: by its contents if it is sealed, else by walking from frame to
// frame until the first that is not sound, or ends beyond kMostRecordEnd. What follows there is the
// torn tail of a crash.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backends/disk/segment_format.h"
#include "base/file_system.h"
#include "base/result.h"

namespace weir::backends::disk {

struct SegmentListing {
  // What lies behind the last sound record.
  enum class Rest : std::uint8_t {
    Nothing,  // but the contents, whole or not: all records are listed
    Torn,     // no record, as far as can be told: it was being written when a process ended
    Records,  // and something before them has changed
  };
  SegmentHeader header;
  std::vector<PlacedFrame> frames;  // record behind record, without the contents themselves
  bool sealed = false;
  std::uint64_t end = 0;  // behind the last sound record; the file may be longer
  Rest rest = Rest::Nothing;
};

// May block; any thread. Corrupt: the segment has no header of its own, so that nothing in it
// counts. Other errors are the medium's. What the records hold is not looked at.
Result<SegmentListing> list_segment(File& file, SegmentId id);

}  // namespace weir::backends::disk
