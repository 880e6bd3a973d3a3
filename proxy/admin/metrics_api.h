// GET /metrics: an instance's figures for Prometheus (docs/OPERATIONS.md lists them). Pure.
#pragma once

#include <string>

#include "proxy/admin/figures.h"

namespace weir::admin {

std::string exposition_of(const Figures& figures);

}  // namespace weir::admin
