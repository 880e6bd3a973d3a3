// The body of POST /v1/purge. Pure.
#pragma once

#include <expected>
#include <string_view>

#include "proxy/admin/json.h"
#include "proxy/flow/purge_order.h"

namespace weir::admin {

std::expected<flow::PurgeOrder, JsonFault> read_purge(std::string_view body);

// "url", "prefix", …: how the body names what is purged.
std::string_view name_of(flow::PurgeOrder::Kind kind);

}  // namespace weir::admin
