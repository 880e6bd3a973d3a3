#include <gtest/gtest.h>

#include "proxy/policy/freshness.h"
#include "tests/proxy/policy_kit.h"

namespace weir::policy {
namespace {

backends::EntryMeta entry(std::optional<std::int64_t> lifetime_s = 10) {
  backends::EntryMeta meta;
  meta.response_ms = kNow_ms;
  meta.lifetime_s = lifetime_s;
  return meta;
}

ReuseVerdict at(const backends::EntryMeta& meta, const conf::CacheRule& rule, std::int64_t after_s,
                RequestClass request_class = RequestClass::Shared,
                const http::RequestCacheControl& client = {}) {
  return judge_reuse(meta, rule, 300, request_class, client, kNow_ms + after_s * 1000);
}

TEST(PolicyFreshness, AgeIsInitialAgePlusResidence) {
  // RFC 9111 4.2.3: current_age; a clock before the entry's own counts as no time.
  backends::EntryMeta meta = entry(100);
  meta.initial_age_s = 7;
  const conf::CacheRule rule;
  EXPECT_EQ(freshness(meta, rule, 300, kNow_ms + 5'999).age_s, 12);
  EXPECT_EQ(freshness(meta, rule, 300, kNow_ms + 5'999).ttl_s(), 88);
  EXPECT_EQ(freshness(meta, rule, 300, kNow_ms - 5'000).age_s, 7);
}

TEST(PolicyFreshness, RouteDurationsAreThoseInForce) {
  // Rule 8: an entry without a lifetime of the app's follows the rule at the hit.
  EXPECT_EQ(freshness(entry(std::nullopt), rule_of(60), 300, kNow_ms).lifetime_s, 60);
  EXPECT_EQ(freshness(entry(std::nullopt), rule_of(5), 300, kNow_ms).lifetime_s, 5);
  EXPECT_EQ(freshness(entry(std::nullopt), conf::CacheRule{}, 300, kNow_ms).lifetime_s, 300);
  EXPECT_EQ(freshness(entry(10), rule_of(5), 300, kNow_ms).lifetime_s, 10);
  conf::CacheRule cap = rule_of(5);
  cap.origin = conf::OriginMode::Cap;
  EXPECT_EQ(freshness(entry(10), cap, 300, kNow_ms).lifetime_s, 5);
  backends::EntryMeta missing = entry(std::nullopt);
  missing.status = 404;
  EXPECT_EQ(freshness(missing, rule_of(5), 300, kNow_ms).lifetime_s, 0)
      << "a status that the rule no longer lists";
}

TEST(PolicyReuse, FreshUntilItsLifetimeEnds) {
  // RFC 9111 4.2: fresh while the lifetime exceeds the age.
  const conf::CacheRule rule;
  EXPECT_EQ(at(entry(), rule, 0).reuse, Reuse::Fresh);
  EXPECT_EQ(at(entry(), rule, 9).reuse, Reuse::Fresh);
  EXPECT_EQ(at(entry(), rule, 9).freshness.ttl_s(), 1);
  EXPECT_EQ(at(entry(), rule, 10).reuse, Reuse::Refetch);
}

TEST(PolicyReuse, WindowsOfTheAppOverThoseOfTheRoute) {
  // RFC 5861 3 and 4, and the route's windows where the app does not say.
  conf::CacheRule rule;
  rule.stale_while_revalidate_s = 5;
  rule.stale_if_error_s = 8;
  EXPECT_EQ(at(entry(), rule, 10).reuse, Reuse::StaleWhileRevalidate);
  EXPECT_EQ(at(entry(), rule, 10).reason, Reason::StaleWhileRevalidate);
  EXPECT_EQ(at(entry(), rule, 14).reuse, Reuse::StaleWhileRevalidate);
  EXPECT_EQ(at(entry(), rule, 15).reuse, Reuse::StaleIfError);
  EXPECT_EQ(at(entry(), rule, 15).reason, Reason::StaleIfError);
  EXPECT_EQ(at(entry(), rule, 18).reuse, Reuse::Refetch);
  backends::EntryMeta own = entry();
  own.stale_while_revalidate_s = 0;
  own.stale_if_error_s = 20;
  EXPECT_EQ(at(own, rule, 10).reuse, Reuse::StaleIfError);
  EXPECT_EQ(at(own, rule, 29).reuse, Reuse::StaleIfError);
  EXPECT_EQ(at(own, rule, 30).reuse, Reuse::Refetch);
}

TEST(PolicyReuse, SlowAppsMayBeCoveredByAnyStaleCopy) {
  // stale_after needs no window; the reason tells that it is for slowness only.
  conf::CacheRule rule;
  rule.stale_after_ms = 200;
  EXPECT_EQ(at(entry(), rule, 1000).reuse, Reuse::StaleIfError);
  EXPECT_EQ(at(entry(), rule, 1000).reason, Reason::StaleSlow);
}

TEST(PolicyReuse, WhatForbidsStaleAnswers) {
  // RFC 9111 4.2.4: must-revalidate, proxy-revalidate, s-maxage, no-cache; no window helps.
  conf::CacheRule rule = rule_of(60);
  rule.stale_while_revalidate_s = 100;
  rule.stale_if_error_s = 100;
  rule.stale_after_ms = 1;
  const std::pair<const char*, bool> cases[] = {
      {"max-age=10", true},
      {"max-age=10, must-revalidate", false},
      {"max-age=10, proxy-revalidate", false},
      {"s-maxage=10", false},
      {"max-age=10, stale-while-revalidate=100, must-revalidate", false},
      {"s-maxage=10, stale-while-revalidate=100", true},
  };
  for (const auto& [control, stale] : cases) {
    const StoreVerdict verdict = judge({{"Cache-Control", control}}, rule);
    ASSERT_EQ(verdict.refusal.reason, Reason::None) << control;
    EXPECT_EQ(at(verdict.meta, rule, 11).reuse,
              stale ? Reuse::StaleWhileRevalidate : Reuse::Refetch)
        << control;
  }
}

TEST(PolicyReuse, TheTargetedFieldForbidsStaleAnswersToo) {
  // RFC 9213 2.2: must-revalidate in CDN-Cache-Control counts, Cache-Control's windows do not.
  conf::CacheRule rule = rule_of(60);
  rule.stale_if_error_s = 100;
  const Lines lines = {{"CDN-Cache-Control", "max-age=10, must-revalidate"},
                       {"Cache-Control", "stale-while-revalidate=100"}};
  EXPECT_EQ(at(judge(lines, rule).meta, rule, 9).reuse, Reuse::Fresh);
  EXPECT_EQ(at(judge(lines, rule).meta, rule, 11).reuse, Reuse::Refetch);
}

TEST(PolicyReuse, WindowBesideSMaxageIsTheOnlyOne) {
  // An app that states one window beside s-maxage allows that one, not the route's other.
  conf::CacheRule rule = rule_of(60);
  rule.stale_if_error_s = 100;
  const StoreVerdict verdict =
      judge({{"Cache-Control", "s-maxage=10, stale-while-revalidate=5"}}, rule);
  EXPECT_EQ(at(verdict.meta, rule, 12).reuse, Reuse::StaleWhileRevalidate);
  EXPECT_EQ(at(verdict.meta, rule, 16).reuse, Reuse::Refetch);
}

TEST(PolicyReuse, ValidateAlwaysIsNeverServedAsItIs) {
  // RFC 9111 5.2.2.4, fresh or stale.
  conf::CacheRule rule;
  rule.stale_if_error_s = 100;
  backends::EntryMeta meta = entry();
  meta.validate_always = true;
  EXPECT_EQ(at(meta, rule, 0).reuse, Reuse::Refetch);
  EXPECT_EQ(at(meta, rule, 0).reason, Reason::NoCache);
  EXPECT_EQ(at(meta, rule, 11).reuse, Reuse::Refetch);
}

TEST(PolicyReuse, PersonalRequestsReadOnlyWhatIsForAll) {
  // Rule 4; a rule that overrides the app now shares nothing with them either.
  conf::CacheRule rule;
  backends::EntryMeta meta = entry();
  EXPECT_EQ(at(meta, rule, 0, RequestClass::Personal).reuse, Reuse::Unusable);
  EXPECT_EQ(at(meta, rule, 0, RequestClass::Bypass).reuse, Reuse::Unusable);
  meta.shared_with_personal = true;
  EXPECT_EQ(at(meta, rule, 0, RequestClass::Personal).reuse, Reuse::Fresh);
  EXPECT_EQ(at(meta, rule, 0, RequestClass::Bypass).reuse, Reuse::Unusable);
  rule.origin = conf::OriginMode::Override;
  EXPECT_EQ(at(meta, rule, 0, RequestClass::Personal).reuse, Reuse::Unusable);
}

struct ClientCase {
  std::string what;
  http::RequestCacheControl client;
  Reuse reuse;
};

TEST(PolicyReuse, ClientsAreHeardOnlyWhereTheRuleSaysSo) {
  // RFC 9111 5.2.1: no-cache, max-age and min-fresh tighten; max-stale loosens nothing.
  const auto with = [](auto set) {
    http::RequestCacheControl client;
    set(client);
    return client;
  };
  const ClientCase cases[] = {
      {"no-cache", with([](auto& c) { c.no_cache = true; }), Reuse::Refetch},
      {"max-age below the age", with([](auto& c) { c.max_age_s = 4; }), Reuse::Refetch},
      {"max-age of the age", with([](auto& c) { c.max_age_s = 5; }), Reuse::Fresh},
      {"min-fresh above the ttl", with([](auto& c) { c.min_fresh_s = 6; }), Reuse::Refetch},
      {"min-fresh of the ttl", with([](auto& c) { c.min_fresh_s = 5; }), Reuse::Fresh},
      {"max-stale", with([](auto& c) { c.max_stale_s = 1000; }), Reuse::Fresh},
  };
  const conf::CacheRule deaf;
  conf::CacheRule honours;
  honours.honor_client_no_cache = true;
  for (const ClientCase& c : cases) {
    EXPECT_EQ(at(entry(), deaf, 5, RequestClass::Shared, c.client).reuse, Reuse::Fresh) << c.what;
    const ReuseVerdict verdict = at(entry(), honours, 5, RequestClass::Shared, c.client);
    EXPECT_EQ(verdict.reuse, c.reuse) << c.what;
    EXPECT_EQ(verdict.reason, c.reuse == Reuse::Fresh ? Reason::None : Reason::ClientNoCache)
        << c.what;
  }
  EXPECT_EQ(at(entry(), honours, 50, RequestClass::Shared, cases[5].client).reuse, Reuse::Refetch);
}

}  // namespace
}  // namespace weir::policy
