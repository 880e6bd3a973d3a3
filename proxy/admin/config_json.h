// The running configuration as JSON, under the names of the YAML file, defaults filled in and
// inheritance resolved. Pure. No secret is in it: the token is masked, and so is every text that
// came out of a variable of the environment, since that is where secrets are kept.
#pragma once

#include "conf/config.h"
#include "proxy/admin/json.h"

namespace weir::admin {

Json config_json(const conf::Config& config);

}  // namespace weir::admin
