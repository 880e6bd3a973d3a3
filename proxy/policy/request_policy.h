// May this request use the shared cache? Pure (RFC 9111 3, 3.5; docs/POLICY.md rules 1 and 4).
#pragma once

#include <cstdint>

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
  Refusal refusal;  // of Personal and Bypass: what made it so
};

// What needs no key, for requests that never get one: no route, no cache, method, body, upgrade.
// Bypass, or Shared: go on, build the key and ask judge_key. `rule` is null where the route has no
// cache; `matched` tells whether any route matched.
RequestVerdict judge_before_key(const http::RequestHead& head, bool matched,
                                const conf::CacheRule* rule);
// Shared, or Personal by what the key found in the request; Bypass for a URL that is used once and
// a cookie that a shared request would lose: it goes as it came, so that it is never asked twice.
RequestVerdict judge_key(const keys::KeyVerdict& key);

// Whether it wants a part of the answer, or only what is new to it (RFC 9110 13, 14): what Weir
// withholds from the app where an answer may be shared.
bool asks_for_part_or_news(const http::RequestHead& head);

// An OPTIONS that the client forbids to forward: Max-Forwards is 0 (RFC 9110 7.6.2).
bool ends_here(const http::RequestHead& head);

}  // namespace weir::policy
