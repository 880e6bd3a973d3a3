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
  SegmentHeader header;
  std::vector<PlacedFrame> frames;  // record behind record, without the contents themselves
  bool sealed = false;
  std::uint64_t end = 0;  // behind the last sound record; the file may be longer
};

// May block; any thread. Corrupt: the segment has no header of its own, so that nothing in it
// counts. Other errors are the medium's. What the records hold is not looked at.
Result<SegmentListing> list_segment(File& file, SegmentId id);

}  // namespace weir::backends::disk
