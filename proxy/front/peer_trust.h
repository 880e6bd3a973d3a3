// Whether an address lies in a range. Pure.
#pragma once

#include <sys/socket.h>

#include "conf/config.h"

namespace weir::front {

// An IPv4 address mapped into IPv6 counts as IPv4; a Unix socket's peer counts as loopback.
bool cidr_contains(const conf::Cidr& range, const sockaddr* peer);

}  // namespace weir::front
