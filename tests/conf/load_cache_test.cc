#include <gtest/gtest.h>

#include "tests/conf/load_support.h"

namespace weir::conf {
namespace {

// The rule of one route whose `cache:` is `{ keys }`.
CacheRule rule_of(const std::string& keys) {
  const LoadResult result =
      load(std::string(kUpstream) + "routes: [{match: /**, cache: {" + keys + "}}]\n");
  EXPECT_TRUE(result.config) << errors_of(result);
  if (!result.config || !result.config->routes[0].cache) return {};
  return *result.config->routes[0].cache;
}

using Names = std::vector<std::string>;

TEST(LoadCache, SilenceIsTheDefault) {
  // An empty map has the contract's defaults, and the default tiers.
  const CacheRule rule = rule_of("");
  EXPECT_EQ(rule.duration.kind, Duration::Kind::Default);
  EXPECT_EQ(rule.query_params.mode, QueryRule::Mode::All);
  EXPECT_FALSE(rule.query_params.keep_tracking);
  EXPECT_EQ(rule.language.mode, LanguageRule::Mode::Client);
  EXPECT_TRUE(rule.hostname);
  EXPECT_EQ(rule.cookies.other, CookieRule::Other::Bypass);
  EXPECT_EQ(rule.tiers, Names{"ram"});
  EXPECT_EQ(rule.origin, OriginMode::Honor);
  ASSERT_EQ(rule.statuses.size(), 1U);
  EXPECT_EQ(rule.statuses[0].status, 200);
  EXPECT_EQ(rule.set_cookie.mode, SetCookieRule::Mode::Refuse);
  EXPECT_EQ(rule.stale_while_revalidate_s, 0);
  EXPECT_EQ(rule.stale_if_error_s, 0);
  EXPECT_FALSE(rule.stale_after_ms);
  EXPECT_FALSE(rule.honor_client_no_cache);
  EXPECT_FALSE(rule.sealed);
  EXPECT_TRUE(rule.armor);
  EXPECT_EQ(rule.max_variants, 16U);
  EXPECT_EQ(rule.coalesce, Coalesce::Instance);
  EXPECT_TRUE(rule.headers.empty() && rule.tags.empty() && rule.credentials.empty());
}

TEST(LoadCache, Durations) {
  // A number, a word, or zero.
  EXPECT_EQ(rule_of("duration: 60").duration.seconds, 60);
  EXPECT_EQ(rule_of("duration: 2h").duration.seconds, 7200);
  EXPECT_EQ(rule_of("duration: 0").duration.kind, Duration::Kind::Seconds);
  EXPECT_EQ(rule_of("duration: app").duration.kind, Duration::Kind::App);
  EXPECT_EQ(rule_of("duration: default").duration.kind, Duration::Kind::Default);
  const CacheRule rule =
      rule_of("stale_while_revalidate: 30, stale_if_error: 1h, stale_after: 200ms");
  EXPECT_EQ(rule.stale_while_revalidate_s, 30);
  EXPECT_EQ(rule.stale_if_error_s, 3600);
  EXPECT_EQ(rule.stale_after_ms, 200);
  EXPECT_FALSE(rule_of("stale_after: off").stale_after_ms);
}

TEST(LoadCache, QueryParameters) {
  // All, none, a list, or all but some.
  EXPECT_EQ(rule_of("query_params: true").query_params.mode, QueryRule::Mode::All);
  EXPECT_EQ(rule_of("query_params: false").query_params.mode, QueryRule::Mode::None);
  EXPECT_EQ(rule_of("query_params: []").query_params.mode, QueryRule::Mode::None);
  const QueryRule only = rule_of("query_params: [page, \"f_*\"]").query_params;
  EXPECT_EQ(only.mode, QueryRule::Mode::Only);
  EXPECT_EQ(only.only, (Names{"page", "f_*"}));
  const QueryRule most =
      rule_of("query_params: {ignore: [x, \"y_*\"], tracking: keep}").query_params;
  EXPECT_EQ(most.mode, QueryRule::Mode::All);
  EXPECT_EQ(most.ignore, (Names{"x", "y_*"}));
  EXPECT_TRUE(most.keep_tracking);
}

TEST(LoadCache, Languages) {
  // Lists are lower case; `no` in a list is Norwegian, not false.
  EXPECT_EQ(rule_of("language: true").language.mode, LanguageRule::Mode::Client);
  EXPECT_EQ(rule_of("language: false").language.mode, LanguageRule::Mode::None);
  const LanguageRule list = rule_of("language: [en, pt-BR, no]").language;
  EXPECT_EQ(list.mode, LanguageRule::Mode::List);
  EXPECT_EQ(list.list, (Names{"en", "pt-br", "no"}));
}

TEST(LoadCache, Cookies) {
  // Words, a list of keyed names, or all three parts.
  EXPECT_EQ(rule_of("cookies: bypass").cookies.other, CookieRule::Other::Bypass);
  EXPECT_EQ(rule_of("cookies: ignore").cookies.other, CookieRule::Other::Ignore);
  const CookieRule list = rule_of("cookies: [theme]").cookies;
  EXPECT_EQ(list.key, Names{"theme"});
  EXPECT_EQ(list.other, CookieRule::Other::Bypass);
  const CookieRule map =
      rule_of("cookies: {key: [theme], session: [\"sid*\"], ignore: [csrftoken], other: ignore}")
          .cookies;
  EXPECT_EQ(map.key, Names{"theme"});
  EXPECT_EQ(map.session, Names{"sid*"});
  EXPECT_EQ(map.ignore, Names{"csrftoken"});
  EXPECT_EQ(map.other, CookieRule::Other::Ignore);
}

TEST(LoadCache, Statuses) {
  // A map adds to 200, a list stands for itself; either comes out in order.
  const auto map = rule_of("statuses: {503: explicit, 404: 10s, 301: 1h}").statuses;
  ASSERT_EQ(map.size(), 4U);
  EXPECT_EQ(map[0].status, 200);
  EXPECT_FALSE(map[0].duration_s);
  EXPECT_EQ(map[1].duration_s, 3600);
  EXPECT_EQ(map[2].duration_s, 10);
  EXPECT_EQ(map[3].status, 503);
  EXPECT_TRUE(map[3].explicit_only);
  EXPECT_EQ(rule_of("statuses: {200: 5s}").statuses[0].duration_s, 5);
  const auto list = rule_of("statuses: [404, 200]").statuses;
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].status, 200);
  EXPECT_EQ(list[1].status, 404);
}

TEST(LoadCache, TheRest) {
  // Every other key reaches its field.
  const CacheRule rule = rule_of(
      "hostname: false, headers: [X-Tenant], origin: cap, set_cookie: {strip: [csrf, \"m*\"]}, "
      "tags: [a, b], client_no_cache: honor, credentials: [\"X-Tok-*\"], sealed: true, "
      "armor: false, max_variants: 4, coalesce: off, backend: [ram]");
  EXPECT_FALSE(rule.hostname);
  EXPECT_EQ(rule.headers, Names{"X-Tenant"});
  EXPECT_EQ(rule.origin, OriginMode::Cap);
  EXPECT_EQ(rule.set_cookie.mode, SetCookieRule::Mode::StripNames);
  EXPECT_EQ(rule.set_cookie.names, (Names{"csrf", "m*"}));
  EXPECT_EQ(rule.tags, (Names{"a", "b"}));
  EXPECT_TRUE(rule.honor_client_no_cache);
  EXPECT_EQ(rule.credentials, Names{"X-Tok-*"});
  EXPECT_TRUE(rule.sealed);
  EXPECT_FALSE(rule.armor);
  EXPECT_EQ(rule.max_variants, 4U);
  EXPECT_EQ(rule.coalesce, Coalesce::Off);
  EXPECT_EQ(rule.tiers, Names{"ram"});
  EXPECT_EQ(rule_of("coalesce: false").coalesce, Coalesce::Off);
  EXPECT_EQ(rule_of("set_cookie: strip").set_cookie.mode, SetCookieRule::Mode::StripAll);
  EXPECT_EQ(rule_of("set_cookie: store").set_cookie.mode, SetCookieRule::Mode::Store);
  EXPECT_EQ(rule_of("origin: framework").origin, OriginMode::Framework);
  EXPECT_EQ(rule_of("origin: override").origin, OriginMode::Override);
}

}  // namespace
}  // namespace weir::conf
