// An explanation as JSON: the answer of POST /v1/explain, and what `weir explain --json` prints.
// Pure.
#pragma once

#include "proxy/admin/json.h"
#include "proxy/flow/outlook.h"

namespace weir::admin {

// `standing`: what an instance has of it; null where none was asked.
Json explanation_json(const flow::Explanation& explanation, const flow::Outlook& outlook,
                      const flow::Standing* standing);

}  // namespace weir::admin
