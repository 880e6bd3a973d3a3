// May this request use the shared cache? Pure (RFC 9111 3, 3.5; docs/POLICY.md rules 1 and 4).
#pragma once

#include "base/http/message.h"
#include "cachekeys/key_builder.h"
#include "conf/config.h"
#include "proxy/policy/reason.h"

namespace weir::policy {

enum class RequestClass : std::uint8_t {
  Shared,    // looks up, joins flights, may store
  Personal,  // looks up and stores only what says public, s-maxage or CDN-Cache-Control; no flight
  Bypass,    // neither reads nor stores
};

struct RequestVerdict {
  RequestClass kind = RequestClass::Shared;
  Reason reason = Reason::None;  // of Personal and Bypass
  std::string_view subject;      // a view into the request
};

// `rule` is null where the route has no cache; `matched` tells whether any route matched.
RequestVerdict judge_request(const http::RequestHead& head, bool matched,
                             const conf::CacheRule* rule, const keys::KeyVerdict& key);
// The part that needs no key, for requests that never get one: no route, no cache, method, body,
// upgrade. reason None: go on and build the key.
RequestVerdict judge_before_key(const http::RequestHead& head, bool matched,
                                const conf::CacheRule* rule);

// An OPTIONS that the client forbids to forward: Max-Forwards is 0 (RFC 9110 7.6.2).
bool ends_here(const http::RequestHead& head);

}  // namespace weir::policy
