// The fields that tell the app of the visitor and of the way here and that Weir writes itself:
// X-Forwarded-For, -Host, -Proto, Forwarded (RFC 7239) and Via (RFC 9110 7.6.3). In them stands
// what it knows, what the key holds, and what a trusted proxy says of those before it. Pure.
#pragma once

#include <string>

#include "base/http/message.h"
#include "conf/config.h"

namespace weir::upstream {

// Who asks, as the front end knows it.
struct ForwardInfo {
  std::string peer_ip;           // as SocketAddress::host_text() says it
  bool peer_trusted = false;     // in trusted_proxies
  conf::TrustedFields believed;  // which of its fields about its visitors are; of a stranger, none
  std::string scheme;            // "http" or "https": the visitor's, as the key has it
  std::string authority;         // where the visitor was going, as the key has it
};

// Whether `field` is one of these, or a spelling of one that CGI-like servers take for it
// (X_Forwarded_Host): none of the client's own may be left beside them.
bool is_forwarding_field(const http::FieldView& field);

// Adds them to `fields`, which has none.
void add_forwarding_fields(http::HeaderBlock& fields, const http::RequestHead& client,
                           const ForwardInfo& info);

}  // namespace weir::upstream
