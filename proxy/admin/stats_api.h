// GET /v1/stats: an instance's figures as JSON, for the dashboard, `weir top` and scripts
// (docs/OPERATIONS.md has its fields). Counts are totals since the start. Pure.
#pragma once

#include "proxy/admin/figures.h"
#include "proxy/admin/json.h"

namespace weir::admin {

Json stats_of(const Figures& figures);

}  // namespace weir::admin
