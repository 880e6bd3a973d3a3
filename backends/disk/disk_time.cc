#include "backends/disk/disk_time.h"

#include <algorithm>

namespace weir::backends::disk {
namespace {

bool is_known(const std::array<char, 16>& boot_id) {
  return boot_id != std::array<char, 16>{};
}

}  // namespace

DiskTime::DiskTime(const Clock& clock, const std::optional<Before>& before)
    : clock_(clock),
      began_(clock.since_boot()),
      steady_ahead_of_boot_ms_(clock.now_ms() - began_.ms),
      ahead_ms_(clock.wall_ms() - clock.now_ms()) {
  if (!before) return;
  if (before->base.boot_id == began_.boot_id && is_known(began_.boot_id)) {
    ahead_ms_ = before->base.wall_ms - before->base.boot_ms - steady_ahead_of_boot_ms_;
  } else {
    const std::int64_t newest_ms = std::max(before->base.wall_ms, before->newest_ms);
    ahead_ms_ = std::max(ahead_ms_, newest_ms - clock.now_ms());
  }
}

TimeBase DiskTime::base() const {
  const std::int64_t boot_ms = clock_.since_boot().ms;
  return {began_.boot_id, boot_ms + steady_ahead_of_boot_ms_ + ahead_ms_, boot_ms};
}

bool DiskTime::goes_on(const TimeBase& base) const {
  return base.boot_id == began_.boot_id && is_known(began_.boot_id);
}

RecordTime DiskTime::reading(const TimeBase& base) const {
  if (!goes_on(base)) return writing();
  return RecordTime::dated(base.wall_ms - base.boot_ms - steady_ahead_of_boot_ms_);
}

}  // namespace weir::backends::disk
