// Somebody's wait until all live instances have applied what he has purged. Lives on the log's
// loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backends/redis/fleet_log.h"

namespace weir::backends::redis {

class FleetLog::Acknowledging {
 public:
  Acknowledging(FleetLog& log, std::uint64_t number, WhenApplied tell);

  // The log has changed: is it there by now?
  void look();
  bool wants_confirmation() const { return is_unconfirmed_; }
  void on_confirmed(bool confirmed, std::string_view run);
  void end();

 private:
  void end_if_certain();
  void ask_how_far();
  void on_how_far(const Reply& reply, std::string_view run);

  FleetLog& log_;
  const std::uint64_t number_;  // of the last entry that is waited for
  WhenApplied tell_;
  Applied result_;
  // Once it is logged: where, which is how far all have to be.
  std::string run_;  // of the server
  std::uint64_t log_number_ = 0;
  StreamPosition at_;
  bool is_unconfirmed_ = false;  // no replica has said yet whether it has it
  bool is_acknowledged_ = false;
  std::unique_ptr<PendingAnswer> call_;
  Timer again_;
  Timer patience_;
};

}  // namespace weir::backends::redis
