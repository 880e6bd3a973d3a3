// Active checks of the app's addresses: each is asked for `health.path` every `health.interval`; an
// answer below 400 within `health.timeout` means up, two failures in a row mean down. Lives on one
// loop; what it finds, all loops see in the UpstreamPool.
#pragma once

#include <memory>

#include "base/net/event_loop.h"
#include "proxy/upstream/upstream_pool.h"

namespace weir::upstream {

class HealthChecker {
 public:
  virtual ~HealthChecker() = default;
};

// Null when no path is configured. Destroyed on the loop's thread, or when the loop has ended.
std::unique_ptr<HealthChecker> start_health_checks(EventLoop& loop,
                                                   const std::shared_ptr<UpstreamPool>& pool);

}  // namespace weir::upstream
