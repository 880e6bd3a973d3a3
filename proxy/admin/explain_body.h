// The body of POST /v1/explain: {"url": …, "method": …, "headers": {…} or ["Name: value", …]}.
// Pure.
#pragma once

#include <expected>
#include <string_view>

#include "proxy/admin/json.h"
#include "proxy/flow/asked_request.h"

namespace weir::admin {

std::expected<flow::Question, JsonFault> read_explain(std::string_view body);
// The body that asks this.
std::string explain_body(const flow::Question& question);

}  // namespace weir::admin
