// POST /v1/explain: why a request would be answered as it would be, by the site that is running,
// and what is stored of it. A look changes nothing. Any worker's loop.
#pragma once

#include <optional>

#include "proxy/admin/calls.h"

namespace weir::admin {

std::optional<Reply> explain(const Request& request, Asker asker, flow::WorkerContext& worker);

}  // namespace weir::admin
