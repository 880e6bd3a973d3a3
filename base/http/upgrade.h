// Which protocols a client's Upgrade may ask the app for (RFC 9110 7.8). Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/http/message.h"

namespace weir::http {

// The protocols that a request offers to go on with, as a list; empty when it offers none. From
// HTTP/1.1 on, where Connection names Upgrade, and only without content: what comes behind the head
// belongs to the other protocol.
std::string upgrade_offer(const RequestHead& request);

// Whether the value of an Upgrade field names protocols, and all of them are such as Weir offers.
bool names_tunnels(std::string_view protocols);

}  // namespace weir::http
