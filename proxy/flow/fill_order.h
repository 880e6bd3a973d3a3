// What a fill is to do: which answer, asked how, for whom, and whether it may be kept. Made by a
// transaction; owns everything in it, for a fill outlives its client.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"
#include "cachekeys/key.h"
#include "proxy/flow/client_pipe.h"
#include "proxy/flow/flight.h"
#include "proxy/flow/site.h"
#include "proxy/policy/request_policy.h"
#include "proxy/upstream/fetcher.h"

namespace weir::flow {

// A key that is kept.
struct OwnedKey {
  std::string bytes;
  Hash128 hash;

  OwnedKey() = default;
  explicit OwnedKey(keys::KeyView key) : bytes(key.bytes), hash(key.hash) {}
  keys::KeyView view() const { return {bytes, hash}; }
};

// A request's head with bytes of its own.
class OwnedHead {
 public:
  OwnedHead() = default;
  explicit OwnedHead(const http::RequestHead& head);
  OwnedHead(OwnedHead&&) = default;
  OwnedHead& operator=(OwnedHead&&) = default;
  const http::RequestHead& get() const { return head_; }

 private:
  std::vector<char> bytes_;  // not a string: the bytes of a short one would move with it
  http::RequestHead head_;
};

struct FillOrder {
  std::shared_ptr<const LoopSite> site;
  const RouteRuntime* route = nullptr;  // null: no route
  upstream::FetchRequest request;
  Ref<ClientPipe> pipe;  // null for a refresh, and for a second runner

  policy::RequestClass request_class = policy::RequestClass::Shared;
  // Whether stores have a say in it at all: false on a route without a cache, for a Bypass, and for
  // what is sent as it came. Its answer is then not kept, and `refusal` says why.
  bool cacheable = false;
  // The key is known not to be cacheable, and why: the answer confirms that, or ends it.
  policy::Refusal remembered;
  policy::Refusal refusal;  // also of a Personal request: what made it one

  Runner runner = Runner::First;
  bool joinable = false;  // others may follow: the flight stands in the table
  bool again = false;     // after the app's 5xx: another one is the answer of all who wait
  bool refresh = false;   // behind a copy that was served: goes on without readers
  bool has_copy = false;  // one that would not do at once: only a fresh one in a store is news
  // Of a look-up that the leader's own has not counted, or has.
  backends::Purpose look_up = backends::Purpose::Probe;
  bool only_stored = false;  // only-if-cached: the app is not asked
  OwnedKey base_key;         // empty for a Bypass
  OwnedKey table_key;        // the flight's name: the base key, or the variant's
  OwnedHead client;          // to evaluate Vary and the client's directives
  std::string authority;
  std::string scheme;                        // where the visitor was going:
  std::string destination;                   // this scheme, this authority
  std::vector<std::string> removed_cookies;  // that the app was not shown,
  bool removed_unknown_cookie = false;       // and that may say who the visitor is
};

}  // namespace weir::flow
