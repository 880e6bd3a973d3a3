// What the app is sent of a request whose answer may be shared: what the key leaves out does not
// reach it. Pure; runs on misses only. What the caller writes afresh is not in `fields`: Host,
// Content-Length, Expect, X-Forwarded-For/-Host/-Proto, Forwarded, Via, hop-by-hop fields.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/http/message.h"
#include "cachekeys/destination.h"
#include "cachekeys/recipe.h"

namespace weir::keys {

struct SentRequest {
  std::string target;                        // path and what is left of the query
  std::string host;                          // Host to send
  std::string told_host;                     // what to tell of where the visitor was going
  http::HeaderBlock fields;                  // end-to-end fields to send, Host left out
  std::vector<std::string> removed_cookies;  // names that the app did not get to see;
  bool removed_unknown_cookie = false;       // one of them is not known to be harmless
  std::string removed_query;                 // "a=1&b=2", for redirects that must get it back
};

// The request as the key tells it. Removes unkeyed query parameters, cookies, the poisoning fields,
// client conditionals, Range, Cache-Control; sets Accept, Accept-Language and Accept-Encoding to
// their normal forms; with `sealed`, keeps a short safe list only. `destination` is that of
// build_key.
SentRequest shared_request(const http::RequestHead& head, const Recipe& recipe,
                           const Destination& destination);
// The same for a personal request (KeyVerdict), which keeps its cookies and credentials, its
// conditionals and its Range, and nothing else that the key leaves out: its answer may yet be
// stored if it says so (rule 4), and a cookie must not be the way around this folder.
SentRequest personal_request(const http::RequestHead& head, const Recipe& recipe,
                             const Destination& destination);
// The request as it came: for passes and keys remembered as uncacheable, whose answers are never
// stored. `on_cached_route` still removes the poisoning fields from GET and HEAD.
SentRequest verbatim_request(const http::RequestHead& head, const Destination& destination,
                             bool on_cached_route);

// Whether `field` is one of the poisoning fields (X-Original-URL, X-HTTP-Method-Override, …).
bool is_poisoning_field(std::string_view name);

// The query put back on a redirect of the same origin that lacks it; empty when nothing is to do.
// `authority` is the request's own; what the app was sent and told names this site too.
std::string restore_query(std::string_view location, std::string_view authority,
                          const SentRequest& sent);

// What `language`, `headers` and `cookies` put in the key, as a Vary list for caches downstream;
// `vary` is the app's own, joined. Empty when neither names anything.
std::string response_vary(std::string_view vary, const Recipe& recipe);

}  // namespace weir::keys
