// POST /v1/purge, and PURGE on the main address: what is not to be served any more. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "proxy/admin/calls.h"
#include "proxy/flow/purge_order.h"

namespace weir::admin {

// What was done to what was marked, by its name in the reply.
enum class Done : std::uint8_t { Purged, Cleared };
struct Marked {
  Done done = Done::Purged;
  bool any = true;           // false: nothing is stored that could match
  std::string backend = {};  // what that one holds; empty: what any does
};
// The reply once the marks made so far are kept, and applied by all live instances:
// {"purged": …, "instances": …, "took_ms": …}. `tell` is called later, on any thread.
void reply_when_kept(flow::WorkerContext& worker, const Marked& marked,
                     std::function<void(Reply)> tell);

// The call. Where everything is purged values are, too, and so leases are over.
std::optional<Reply> purge(const Request& request, Asker asker, flow::WorkerContext& worker,
                           values::LeaseTable& leases);

}  // namespace weir::admin
