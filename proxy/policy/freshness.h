// How old is a stored response, and may it answer this request? Pure (RFC 9111 4.2, 4.2.4; 5861).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "backends/entry.h"
#include "base/http/cache_control.h"
#include "conf/config.h"
#include "proxy/policy/reason.h"
#include "proxy/policy/request_policy.h"

namespace weir::policy {

struct Freshness {
  std::int64_t age_s = 0;
  std::int64_t lifetime_s = 0;
  std::int64_t ttl_s() const { return lifetime_s - age_s; }
};

// By the app's own lifetime, else by the rule in force now (rule 8): duration, status' duration,
// the backend's default_expire.
Freshness freshness(const backends::EntryMeta& meta, const conf::CacheRule& rule,
                    std::int64_t default_expire_s, std::int64_t now_ms);

// How long the rule lets an answer of this status live where the app says nothing, and by which key
// of the configuration; nothing for `duration: app`, which leaves it to the app.
struct RuleLifetime {
  std::optional<std::int64_t> seconds;
  std::string_view source;  // "statuses", "duration" or "default_expire"
};
RuleLifetime rule_lifetime(const conf::StatusRule* status, const conf::CacheRule& rule,
                           std::int64_t default_expire_s);

// How long past its freshness an entry may serve, by the app's word and the rule in force.
struct StaleWindows {
  std::int64_t while_revalidate_s = 0;  // RFC 5861 3
  std::int64_t if_error_s = 0;          // RFC 5861 4
  bool when_slow = false;               // the rule's stale_after: whatever its age
};

StaleWindows stale_windows(const backends::EntryMeta& meta, const conf::CacheRule& rule);
// The rule's entry for this status, or null.
const conf::StatusRule* find_status(const conf::CacheRule& rule, int status);

enum class Reuse : std::uint8_t {
  Fresh,                 // serve it
  StaleWhileRevalidate,  // serve it, refresh it behind
  StaleIfError,          // ask the app; serve it only if the app fails or is slow; with the
                         // reason StaleSlow (stale_after, no window left) only if it is slow
  Refetch,               // ask the app; never serve this
  Unusable,              // not for this request at all (a personal one)
};

struct ReuseVerdict {
  Reuse reuse = Reuse::Refetch;
  Freshness freshness;
  Reason reason = Reason::None;
};

// `client` is looked at only where the rule honours the client's directives (client_no_cache).
// There they only tighten: max-stale never makes a stale entry usable.
ReuseVerdict judge_reuse(const backends::EntryMeta& meta, const conf::CacheRule& rule,
                         std::int64_t default_expire_s, RequestClass request_class,
                         const http::RequestCacheControl& client, std::int64_t now_ms);

}  // namespace weir::policy
