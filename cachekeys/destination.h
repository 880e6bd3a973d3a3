// Where a visitor was going: by the request's own Host, or by what a trusted proxy says of it. It
// is in the key, and the app is told no other. Pure; any thread; views into the request.
#pragma once

#include <string_view>

#include "base/http/message.h"
#include "conf/config.h"

namespace weir::keys {

struct Destination {
  std::string_view scheme = "http";  // "http" or "https", as sent on in X-Forwarded-Proto
  std::string_view authority;        // as sent on in X-Forwarded-Host
  bool is_told = false;              // `authority` is a proxy's word, beside the request's own Host
  bool is_host = true;               // false: what the proxy says is no host
  bool port = false;                 // X-Forwarded-Port is there and believed: it travels on
  bool prefix = false;               // and so does X-Forwarded-Prefix

  // Whether this field travels on as the proxy sent it.
  bool passes(http::FieldId id) const {
    return (port && id == http::FieldId::XForwardedPort) ||
           (prefix && id == http::FieldId::XForwardedPrefix);
  }
};

// Whether the request has a field in which proxies speak of their visitor. Most have none.
inline bool speaks_of_visitor(const http::RequestHead& head) {
  using http::FieldId;
  return head.has(FieldId::XForwardedProto) || head.has(FieldId::XForwardedFor) ||
         head.has(FieldId::XForwardedHost) || head.has(FieldId::XForwardedPort) ||
         head.has(FieldId::XForwardedPrefix) || head.has(FieldId::Forwarded);
}

// A list counts by its first element. What is believed but makes no sense is nothing said, a host
// aside (is_host).
Destination destination_of(const http::RequestHead& head, const conf::TrustedFields& believed);

}  // namespace weir::keys
