// May this response be stored, for how long, and with what taken out? Pure (RFC 9111 3, 4.2, 5.2;
// 9213; docs/POLICY.md rules 2 and 3). Judged when the response's head arrives.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "backends/entry.h"
#include "base/http/message.h"
#include "conf/config.h"
#include "proxy/policy/reason.h"
#include "proxy/policy/request_policy.h"
#include "proxy/policy/unsaid.h"

namespace weir::policy {

struct ResponseContext {
  const conf::CacheRule* rule = nullptr;
  std::int64_t default_expire_s = 300;  // the first tier's
  std::uint64_t max_object_size = 0;    // the largest of the tiers'; 0: no bound
  RequestClass request_class = RequestClass::Shared;
  http::Method method = http::Method::Get;
  std::string_view path;    // for armor
  std::int64_t now_ms = 0;  // steady, when the head arrived
  std::int64_t wall_s = 0;
  // Steady, when the fetch began (response_delay of RFC 9111 4.2.3); 0: not known.
  std::int64_t request_ms = 0;
  std::uint64_t seq = 0;  // purge position when the fetch began
  Refusal personal;       // of a Personal request: what made it one (RequestVerdict)
  Shown shown;            // what the app saw of Origin and Accept-Encoding
};

struct StoreVerdict {
  Refusal refusal;  // reason None: store it
  // It holds what the app said, also where `origin` overrides or caps it: the rule in force at a
  // hit decides again (policy/freshness.h). Of a refused answer only for whose requests it would be
  // of use (policy/unsaid.h).
  backends::EntryMeta meta;
  std::int64_t ttl_s = 0;  // freshness left at `now`, by the rule in force; 0 of a refused answer
  // Usable by other requests without validation, now: followers may be streamed it. What is stored
  // for its stale windows only, or to be read by validation, is not.
  bool shareable = false;
  bool strip_all_cookies = false;          // set_cookie: strip
  std::vector<std::string> strip_cookies;  // patterns, set_cookie: {strip: [...]}
  std::vector<std::string> vary;           // names, lower case, sorted, unique (vary_list.h)
};

StoreVerdict judge_response(const http::ResponseHead& head, const ResponseContext& context);

// Whether an answer that is not stored may be shown to all who wait for it: it sets no cookie, and
// is neither private nor no-store, for whomsoever that is said, and depends on no field but
// Accept-Encoding.
bool is_for_nobody_in_particular(const http::ResponseHead& head);

// Media types that go on until somebody hangs up, such as text/event-stream. Lists that merely come
// line by line end.
bool is_endless(std::string_view content_type);

// Removes the Set-Cookie fields that the verdict says, from what is stored and what is sent.
void strip_set_cookies(http::HeaderBlock& fields, const StoreVerdict& verdict);
// The name of a cookie in a Set-Cookie value.
std::string_view set_cookie_name(std::string_view value);
// Whether one of these cookies is set by the response and would not be stripped.
std::optional<std::string> sets_one_of(const http::HeaderBlock& fields, const StoreVerdict& verdict,
                                       const std::vector<std::string>& names);

}  // namespace weir::policy
