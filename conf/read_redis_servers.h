// Where the servers of a Redis backend are, and who we are there.
#pragma once

#include "conf/readers.h"

namespace weir::conf {

void read_redis_servers(Section& section, Backend& backend);

}  // namespace weir::conf
