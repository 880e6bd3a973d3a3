// What a request amounts to before anything is looked up: which route, what it is called, whether
// others may share its answer, and in what form the app is asked. Pure; any thread. `explain` asks
// the same functions.
#pragma once

#include <cstdint>

#include "base/http/message.h"
#include "cachekeys/destination.h"
#include "cachekeys/key.h"
#include "cachekeys/sent_request.h"
#include "proxy/flow/site.h"
#include "proxy/policy/request_policy.h"

namespace weir::flow {

// How a request is sent to the app (cachekeys/sent_request.h).
enum class Form : std::uint8_t { Shared, Personal, Verbatim };

struct RequestPlan {
  bool answered_here = false;           // an OPTIONS that the client forbids to forward
  const RouteRuntime* route = nullptr;  // null: none matches
  policy::RequestClass kind = policy::RequestClass::Shared;
  policy::Refusal refusal;  // of Personal and Bypass: what made it so

  // Whether the route caches at all.
  bool cached_route() const { return route != nullptr && route->rule != nullptr; }
  Form form() const;
};

// `destination` is the visitor's, as the app is told. Builds the base key into `key`, a reused
// buffer, unless the class is Bypass. Allocates nothing for a request that is Shared.
RequestPlan plan_request(const http::RequestHead& head, const keys::Destination& destination,
                         const Site& site, keys::KeyBuffer& key);

// The request as the app is to see it in that form. Shared and Personal need a cached route.
keys::SentRequest sent_request(const http::RequestHead& head, const keys::Destination& destination,
                               const RequestPlan& plan, Form form);

}  // namespace weir::flow
