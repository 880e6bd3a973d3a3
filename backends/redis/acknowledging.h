// Somebody's wait until all live instances have applied what he has purged. Lives on the log's
// loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/redis/fleet_log.h"

namespace weir::backends::redis {

class FleetLog::Acknowledging {
 public:
  Acknowledging(FleetLog& log, std::uint64_t number, WhenApplied tell);

  // The log has changed: is it there by now?
  void look();
  bool wants_confirmation() const { return is_unconfirmed_; }
  void on_confirmed(bool confirmed);
  void end();

 private:
  void ask_how_far();
  void on_how_far(const Reply& positions);

  FleetLog& log_;
  const std::uint64_t number_;  // of the last entry that is waited for
  WhenApplied tell_;
  Applied result_;
  StreamPosition at_;            // that all have to reach, once it is logged
  bool is_unconfirmed_ = false;  // no replica has said yet whether it has it
  bool is_acknowledged_ = false;
  std::unique_ptr<PendingAnswer> call_;
  Timer again_;
  Timer patience_;
};

}  // namespace weir::backends::redis
