// A route's `cache:` map, and `defaults:`, which has the same keys.

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "conf/readers.h"

namespace weir::conf {
namespace {

constexpr std::uint64_t kMaxVariants = 1'000;

void read_headers(const Cursor& cursor, std::vector<std::string>& headers) {
  headers = read_names(cursor, "a list such as [X-Tenant]", check_key_header, Case::Ignored);
  for (const std::string& name : headers) {
    if (equals_ignore_case(name, "Cookie")) {
      cursor.warn(
          "with Cookie in the key nearly every visitor has a copy of their own; name the "
          "cookies that matter in \"cookies:\"");
    }
    if (equals_ignore_case(name, "Authorization")) {
      cursor.warn(
          "with Authorization in the key each user's answers are stored under that user's "
          "credentials; make sure that the app never answers one user with another's");
    }
  }
}

void read_stale_after(const Cursor& cursor, std::optional<std::int64_t>& target) {
  if (cursor.is_off()) {
    target.reset();
  } else if (const auto ms = cursor.milliseconds({1, 86'400'000})) {
    target = ms;
  }
}

void read_key_parts(Section& section, CacheRule& rule) {
  if (const auto cursor = section.take("query_params")) read_query(*cursor, rule.query_params);
  if (const auto cursor = section.take("language")) read_language(*cursor, rule.language);
  section.boolean("hostname", rule.hostname);
  if (const auto cursor = section.take("headers")) read_headers(*cursor, rule.headers);
  if (const auto cursor = section.take("cookies")) read_cookies(*cursor, rule.cookies);
  if (const auto cursor = section.take("credentials")) {
    rule.credentials =
        read_names(*cursor, "a list such as [X-Session-Token]", check_token, Case::Ignored);
  }
  section.boolean("sealed", rule.sealed);
}

void read_freshness(Section& section, CacheRule& rule) {
  if (const auto cursor = section.take("duration")) read_duration(*cursor, rule.duration);
  section.choice("origin", rule.origin, std::span(kOriginNames));
  if (const auto cursor = section.take("statuses")) read_statuses(*cursor, rule.statuses);
  section.seconds("stale_while_revalidate", rule.stale_while_revalidate_s);
  section.seconds("stale_if_error", rule.stale_if_error_s);
  if (const auto cursor = section.take("stale_after")) {
    read_stale_after(*cursor, rule.stale_after_ms);
  }
  enum class ClientNoCache : std::uint8_t { Ignore, Honor };
  auto client = rule.honor_client_no_cache ? ClientNoCache::Honor : ClientNoCache::Ignore;
  section.choice("client_no_cache", client, {"ignore", "honor"});
  rule.honor_client_no_cache = client == ClientNoCache::Honor;
}

void warn_of_no_duration(Section& section, const CacheRule& rule) {
  const bool none = rule.duration.kind == Duration::Kind::Seconds && rule.duration.seconds == 0;
  const bool has_window = rule.stale_while_revalidate_s > 0 || rule.stale_if_error_s > 0;
  const auto cursor = section.take("duration");
  if (!cursor || !none || has_window || rule.stale_after_ms) return;
  cursor->warn(
      "what it lets in is to be validated at every use, which is not in this version: nothing is "
      "stored but what the app itself marks as fresh");
}

}  // namespace

void read_cache_rule(const Cursor& cursor, const BackendNames& backends, CacheRule& rule) {
  Section section(cursor, "true, false or a map such as {duration: 60s}");
  read_key_parts(section, rule);
  read_freshness(section, rule);
  if (const auto tiers = section.take("backend")) rule.tiers = read_tiers(*tiers, backends);
  if (const auto set_cookie = section.take("set_cookie")) {
    read_set_cookie(*set_cookie, rule.set_cookie);
  }
  if (const auto tags = section.take("tags")) {
    rule.tags = read_names(*tags, "a list such as [shop]", check_tag);
  }
  section.boolean("armor", rule.armor);
  section.integer("max_variants", rule.max_variants, {1, kMaxVariants});
  section.choice("coalesce", rule.coalesce, {"instance", "fleet", "off"});
  warn_of_no_duration(section, rule);
  section.mistaken_for("duration", {"ttl", "max_age", "max-age", "expires"});
  section.mistaken_for("query_params", {"query", "params", "querystring", "query_string"});
  section.finish();
}

}  // namespace weir::conf
