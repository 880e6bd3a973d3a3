// The time that records of a disk tell (docs/DISK_FORMAT.md, "Time"). It goes on from one run to
// the next: by the boot clock while the machine runs, by the wall clock across its starts, and
// never back. Any thread.
#pragma once

#include <cstdint>
#include <optional>

#include "backends/disk/segment_format.h"
#include "backends/record.h"
#include "base/clock.h"

namespace weir::backends::disk {

class DiskTime {
 public:
  // The newest segment that was found, and the newest time that is told in it.
  struct Before {
    TimeBase base;
    std::int64_t newest_ms = 0;
  };
  // `clock` outlives it.
  DiskTime(const Clock& clock, const std::optional<Before>& before);

  // Of a segment that is begun now.
  TimeBase base() const;
  // How times are to be written, and read in a segment of this time base.
  RecordTime writing() const { return RecordTime::dated(ahead_ms_); }
  RecordTime reading(const TimeBase& base) const;
  // Whether what is written now may stand in a segment of this time base: it is of this start of
  // the machine.
  bool goes_on(const TimeBase& base) const;

 private:
  const Clock& clock_;
  const SinceBoot began_;
  const std::int64_t steady_ahead_of_boot_ms_;
  std::int64_t ahead_ms_;  // of the steady axis
};

}  // namespace weir::backends::disk
