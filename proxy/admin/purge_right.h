// Whether a request on the main address comes from somebody in purge_allow: its peer or, where that
// is a trusted proxy, the nearest address before it that is none. Pure.
#pragma once

#include "conf/config.h"
#include "proxy/front/exchange.h"

namespace weir::admin {

bool may_purge(const front::Exchange& exchange, const conf::Config& config);

}  // namespace weir::admin
