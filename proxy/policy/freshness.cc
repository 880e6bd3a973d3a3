#include "proxy/policy/freshness.h"

#include <algorithm>

namespace weir::policy {
namespace {

using conf::OriginMode;

std::int64_t window(const std::optional<std::int64_t>& app, std::int64_t route, OriginMode origin) {
  if (!app || origin == OriginMode::Override) return route;
  return origin == OriginMode::Cap ? std::min(*app, route) : *app;
}

std::int64_t lifetime(const backends::EntryMeta& meta, const conf::CacheRule& rule,
                      std::int64_t default_expire_s) {
  const conf::StatusRule* status = find_status(rule, meta.status);
  const std::optional<std::int64_t> route = rule_lifetime(status, rule, default_expire_s).seconds;
  // A server's failure lasts only as long as the app itself says, whatever the rule says; so does a
  // status that the rule no longer lists.
  if (status == nullptr || status->explicit_only || meta.status >= 500) {
    const std::int64_t own = meta.lifetime_s.value_or(0);
    return rule.origin == OriginMode::Cap && route ? std::min(own, *route) : own;
  }
  if (rule.origin == OriginMode::Override) {
    return route ? *route : meta.lifetime_s.value_or(0);
  }
  if (!meta.lifetime_s) return route.value_or(0);
  return rule.origin == OriginMode::Cap && route ? std::min(*meta.lifetime_s, *route)
                                                 : *meta.lifetime_s;
}

// RFC 9111 5.2.1.1, .3, .4, on routes that honour them.
bool client_refuses(const http::RequestCacheControl& client, const Freshness& freshness) {
  if (client.no_cache) return true;
  if (client.max_age_s && freshness.age_s > *client.max_age_s) return true;
  return client.min_fresh_s && freshness.ttl_s() < *client.min_fresh_s;
}

ReuseVerdict judge_stale(const backends::EntryMeta& meta, const conf::CacheRule& rule,
                         const Freshness& freshness) {
  const StaleWindows windows = stale_windows(meta, rule);
  const std::int64_t staleness_s = -freshness.ttl_s();
  if (staleness_s < windows.while_revalidate_s) {
    return {Reuse::StaleWhileRevalidate, freshness, Reason::StaleWhileRevalidate};
  }
  if (staleness_s < windows.if_error_s) {
    return {Reuse::StaleIfError, freshness, Reason::StaleIfError};
  }
  if (windows.when_slow) return {Reuse::StaleIfError, freshness, Reason::StaleSlow};
  return {Reuse::Refetch, freshness, Reason::None};
}

}  // namespace

RuleLifetime rule_lifetime(const conf::StatusRule* status, const conf::CacheRule& rule,
                           std::int64_t default_expire_s) {
  if (status != nullptr && status->duration_s) return {status->duration_s, "statuses"};
  switch (rule.duration.kind) {
    case conf::Duration::Kind::Default:
      return {default_expire_s, "default_expire"};
    case conf::Duration::Kind::Seconds:
      return {rule.duration.seconds, "duration"};
    case conf::Duration::Kind::App:
      break;
  }
  return {std::nullopt, "duration"};
}

const conf::StatusRule* find_status(const conf::CacheRule& rule, int status) {
  const auto found = std::find_if(rule.statuses.begin(), rule.statuses.end(),
                                  [&](const conf::StatusRule& s) { return s.status == status; });
  return found == rule.statuses.end() ? nullptr : &*found;
}

StaleWindows stale_windows(const backends::EntryMeta& meta, const conf::CacheRule& rule) {
  const bool app_forbids = meta.must_revalidate || meta.validate_always;
  if (app_forbids && rule.origin != OriginMode::Override) return {};
  return {window(meta.stale_while_revalidate_s, rule.stale_while_revalidate_s, rule.origin),
          window(meta.stale_if_error_s, rule.stale_if_error_s, rule.origin),
          rule.stale_after_ms.has_value()};
}

Freshness freshness(const backends::EntryMeta& meta, const conf::CacheRule& rule,
                    std::int64_t default_expire_s, std::int64_t now_ms) {
  const std::int64_t resident_s = std::max<std::int64_t>(now_ms - meta.response_ms, 0) / 1000;
  return {meta.initial_age_s + resident_s, lifetime(meta, rule, default_expire_s)};
}

ReuseVerdict judge_reuse(const backends::EntryMeta& meta, const conf::CacheRule& rule,
                         std::int64_t default_expire_s, RequestClass request_class,
                         const http::RequestCacheControl& client, std::int64_t now_ms) {
  const Freshness fresh = freshness(meta, rule, default_expire_s, now_ms);
  const bool overridden = rule.origin == OriginMode::Override;
  const bool for_this_one =
      request_class == RequestClass::Shared ||
      (request_class == RequestClass::Personal && meta.shared_with_personal && !overridden);
  if (!for_this_one) return {Reuse::Unusable, fresh, Reason::None};
  if (meta.validate_always && !overridden) return {Reuse::Refetch, fresh, Reason::NoCache};
  if (rule.honor_client_no_cache && client_refuses(client, fresh)) {
    return {Reuse::Refetch, fresh, Reason::ClientNoCache};
  }
  if (fresh.ttl_s() > 0) return {Reuse::Fresh, fresh, Reason::None};
  return judge_stale(meta, rule, fresh);
}

}  // namespace weir::policy
