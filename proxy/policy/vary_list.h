// Which request fields a response depends on (RFC 9111 4.1, 9110 12.5.5). Pure.
#pragma once

#include <string>
#include <vector>

#include "base/http/message.h"
#include "proxy/policy/reason.h"

namespace weir::policy {

// More names than any app means; each costs a comparison at every look-up.
inline constexpr std::size_t kMaxVaryNames = 32;

struct VaryList {
  Refusal refusal;                 // vary-star: no other request can be known to match
  std::vector<std::string> names;  // lower case, sorted, unique
};

// Of all Vary fields, and of an Access-Control-Allow-Origin other than `*`, which tells that the
// answer depends on Origin. Left out are Host and the forwarding fields that the base key already
// determines (X-Forwarded-Host, -Proto). What Weir writes anew for each client (X-Forwarded-For,
// Forwarded, Via, connection fields) refuses as `*` does.
VaryList read_vary(const http::HeaderBlock& fields);

}  // namespace weir::policy
