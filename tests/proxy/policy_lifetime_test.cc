#include <gtest/gtest.h>

#include "proxy/policy/app_word.h"
#include "proxy/policy/freshness.h"
#include "tests/proxy/policy_kit.h"

namespace weir::policy {
namespace {

using conf::OriginMode;

conf::CacheRule rule_with(OriginMode origin, std::int64_t duration_s) {
  conf::CacheRule rule = rule_of(duration_s);
  rule.origin = origin;
  return rule;
}

struct TtlCase {
  std::string what;
  Lines lines;
  std::int64_t ttl_s;
};

void expect_all(const std::vector<TtlCase>& cases, const conf::CacheRule& rule) {
  for (const TtlCase& c : cases) {
    const StoreVerdict verdict = judge(c.lines, rule);
    EXPECT_EQ(verdict.ttl_s, c.ttl_s) << c.what;
    EXPECT_EQ(verdict.refusal.reason, c.ttl_s > 0 ? Reason::None : Reason::NoTtl) << c.what;
  }
}

TEST(PolicyLifetime, FirstThatIsPresentCounts) {
  // Rule 3, RFC 9111 4.2.1: CDN-Cache-Control, s-maxage, max-age, Expires, the route's duration.
  expect_all(
      {{"all of them",
        {{"CDN-Cache-Control", "max-age=1"},
         {"Cache-Control", "s-maxage=2, max-age=3"},
         {"Expires", date(4)}},
        1},
       {"s-maxage", {{"Cache-Control", "max-age=3, s-maxage=2"}, {"Expires", date(4)}}, 2},
       {"CDN's own s-maxage", {{"CDN-Cache-Control", "max-age=3, s-maxage=2"}}, 2},
       {"max-age", {{"Cache-Control", "max-age=3"}, {"Expires", date(4)}}, 3},
       {"Expires", {{"Cache-Control", "must-revalidate"}, {"Expires", date(4)}}, 4},
       {"Expires from Date", {{"Date", date(-1)}, {"Expires", date(4)}}, 5},
       {"CDN without a lifetime", {{"CDN-Cache-Control", "public"}, {"Expires", date(4)}}, 60},
       {"nothing", {}, 60},
       {"of two the smaller", {{"Cache-Control", "max-age=5, max-age=3"}}, 3},
       {"max-age=0", {{"Cache-Control", "max-age=0"}, {"Expires", date(4)}}, 0},
       {"too large is very large (1.2.2)",
        {{"Cache-Control", "max-age=99999999999999999999"}},
        std::int64_t{1} << 31},
       {"malformed is stale (4.2.1)", {{"Cache-Control", "max-age=soon"}}, 0}},
      rule_of(60));
}

TEST(PolicyLifetime, InvalidExpiresMeansExpired) {
  // RFC 9111 5.3, "0" above all; two of them are no date either.
  expect_all({{"0", {{"Expires", "0"}}, 0},
              {"-1", {{"Expires", "-1"}}, 0},
              {"garbage", {{"Expires", "tomorrow"}}, 0},
              {"past", {{"Expires", date(-100)}}, 0},
              {"two", {{"Expires", date(100)}, {"Expires", date(200)}}, 0}},
             rule_of(60));
}

TEST(PolicyLifetime, SubjectOfNoTtlNamesItsCause) {
  // The reason says which word gave no time.
  EXPECT_EQ(judge({{"Cache-Control", "s-maxage=0"}}, rule_of(60)).refusal.subject, "s-maxage");
  EXPECT_EQ(judge({{"Cache-Control", "max-age=0"}}, rule_of(60)).refusal.subject, "max-age");
  EXPECT_EQ(judge({{"Expires", "0"}}, rule_of(60)).refusal.subject, "Expires");
  EXPECT_EQ(judge({}, rule_of(0)).refusal.subject, "duration");
}

TEST(PolicyLifetime, DurationsOfTheRoute) {
  // `default` is the backend's, `app` only what the app marks, 0 nothing without validation.
  const Lines marked = {{"Cache-Control", "max-age=9"}};
  conf::CacheRule rule;
  EXPECT_EQ(judge({}, rule).ttl_s, 300);
  rule.duration.kind = conf::Duration::Kind::App;
  EXPECT_EQ(judge({}, rule).refusal.reason, Reason::NoTtl);
  EXPECT_EQ(judge(marked, rule).ttl_s, 9);
  EXPECT_EQ(judge({}, rule_of(0)).refusal.reason, Reason::NoTtl);
  EXPECT_EQ(judge(marked, rule_of(0)).ttl_s, 9);
}

TEST(PolicyLifetime, AStaleWindowMakesAnExpiredAnswerUseful) {
  // Stored for its window, but no follower is streamed it.
  const Lines window = {{"Cache-Control", "max-age=0, stale-while-revalidate=30"}};
  EXPECT_EQ(judge(window, rule_of(60)).refusal.reason, Reason::None);
  EXPECT_FALSE(judge(window, rule_of(60)).shareable);
  const Lines too_old = {{"Cache-Control", "max-age=0, stale-if-error=30"}, {"Age", "30"}};
  EXPECT_EQ(judge(too_old, rule_of(60)).refusal.reason, Reason::NoTtl);
  conf::CacheRule rule = rule_of(60);
  rule.stale_if_error_s = 10;
  EXPECT_EQ(judge({{"Cache-Control", "max-age=0"}}, rule).refusal.reason, Reason::None);
  const Lines forbidden = {{"Cache-Control", "max-age=0, must-revalidate"}};
  EXPECT_EQ(judge(forbidden, rule).refusal.reason, Reason::NoTtl);
}

TEST(PolicyLifetime, TheAppsAgeIsSubtracted) {
  // RFC 9111 4.2.3 and 5.1: Age's first member, or what Date tells, whichever is more.
  expect_all({{"Age", {{"Age", "20"}}, 40},
              {"from max-age", {{"Cache-Control", "max-age=100"}, {"Age", "20"}}, 80},
              {"all of it", {{"Age", "60"}}, 0},
              {"more", {{"Age", "61"}}, -1},
              {"the first of a list", {{"Age", "20, 50"}}, 40},
              {"the first field", {{"Age", "20"}, {"Age", "50"}}, 40},
              {"not a number", {{"Age", "-5"}}, 60},
              {"not a number either", {{"Age", "5s"}}, 60},
              {"Date", {{"Date", date(-30)}}, 30},
              {"the larger", {{"Date", date(-30)}, {"Age", "20"}}, 30},
              {"a second is Date's resolution", {{"Date", date(-1)}}, 60},
              {"Date ahead", {{"Date", date(500)}}, 60},
              {"no date", {{"Date", "yesterday"}}, 60}},
             rule_of(60));
  EXPECT_EQ(judge({{"Age", "99999999999999999999"}}, rule_of(60)).refusal.reason, Reason::NoTtl);
}

TEST(PolicyLifetime, TheTimeTheAppTookCountsForItsOwnLifetime) {
  // RFC 9111 4.2.3: response_delay; the route's own duration begins at the answer's arrival.
  const conf::CacheRule rule = rule_of(5);
  ResponseContext context = context_of(rule);
  context.request_ms = kNow_ms - 7'900;
  const Lines marked = {{"Cache-Control", "max-age=10"}, {"Age", "1"}};
  EXPECT_EQ(judge_response(answer(marked), context).ttl_s, 2);
  EXPECT_EQ(judge_response(answer({}), context).ttl_s, 5);
}

TEST(PolicyLifetime, KeepsWhatTheHitWillNeed) {
  // Rule 8: the app's lifetime is in the entry, the route's is not.
  const conf::CacheRule rule = rule_of(60);
  ResponseContext context = context_of(rule);
  context.seq = 42;
  const StoreVerdict own = judge_response(
      answer({{"Cache-Control", "max-age=9, stale-while-revalidate=8, stale-if-error=7"},
              {"Age", "3"}}),
      context);
  EXPECT_EQ(own.meta.lifetime_s, 9);
  EXPECT_EQ(own.meta.stale_while_revalidate_s, 8);
  EXPECT_EQ(own.meta.stale_if_error_s, 7);
  EXPECT_EQ(own.meta.initial_age_s, 3);
  EXPECT_EQ(own.meta.response_ms, kNow_ms);
  EXPECT_EQ(own.meta.seq, 42U);
  EXPECT_EQ(judge({}, rule).meta.lifetime_s, std::nullopt);
}

TEST(PolicyOrigin, FrameworkSetsUntouchedDefaultsAside) {
  // Exactly the two defaults, with companions that add nothing; everything else is honoured.
  const conf::CacheRule rule = rule_with(OriginMode::Framework, 60);
  const Lines untouched[] = {
      {{"Cache-Control", "max-age=0, private, must-revalidate"}},
      {{"Cache-Control", "must-revalidate,PRIVATE, max-age=0"}},
      {{"Cache-Control", "no-cache, private"}},
      {{"Cache-Control", "no-cache, private"}, {"Pragma", "no-cache"}, {"Expires", "-1"}},
      {{"Cache-Control", "max-age=0, private, must-revalidate"}, {"Expires", date(-9)}},
  };
  for (const Lines& lines : untouched) {
    const StoreVerdict verdict = judge(lines, rule);
    EXPECT_EQ(verdict.refusal.reason, Reason::None) << lines[0].second;
    EXPECT_EQ(verdict.ttl_s, 60) << lines[0].second;
    EXPECT_FALSE(verdict.meta.must_revalidate);
  }
  const std::pair<Lines, Reason> touched[] = {
      {{{"Cache-Control", "private, no-cache"}}, Reason::Private},
      {{{"Cache-Control", "private"}}, Reason::Private},
      {{{"Cache-Control", "no-cache, private, no-store"}}, Reason::NoStore},
      {{{"Cache-Control", "max-age=0, private, must-revalidate, no-store"}}, Reason::NoStore},
      {{{"Cache-Control", "max-age=1, private, must-revalidate"}}, Reason::Private},
      {{{"Cache-Control", "max-age=0, must-revalidate"}}, Reason::NoTtl},
      {{{"Cache-Control", "no-cache, private"}, {"Expires", date(60)}}, Reason::Private},
      {{{"CDN-Cache-Control", "no-store"}, {"Cache-Control", "no-cache, private"}},
       Reason::NoStore},
  };
  for (const auto& [lines, reason] : touched) {
    EXPECT_EQ(judge(lines, rule).refusal.reason, reason) << lines[0].second;
  }
  EXPECT_EQ(judge(untouched[0], rule_of(60)).refusal.reason, Reason::Private);
}

TEST(PolicyOrigin, CapHonoursButNeverBeyondTheRoute) {
  // Neither the lifetime nor the stale windows exceed the route's.
  conf::CacheRule rule = rule_with(OriginMode::Cap, 60);
  rule.stale_while_revalidate_s = 20;
  EXPECT_EQ(judge({{"Cache-Control", "s-maxage=31536000"}}, rule).ttl_s, 60);
  EXPECT_EQ(judge({{"Cache-Control", "max-age=10"}}, rule).ttl_s, 10);
  EXPECT_EQ(judge({{"Cache-Control", "private"}}, rule).refusal.reason, Reason::Private);
  const StoreVerdict verdict =
      judge({{"Cache-Control", "max-age=99, stale-while-revalidate=99, stale-if-error=99"}}, rule);
  const StaleWindows windows = stale_windows(verdict.meta, rule);
  EXPECT_EQ(windows.while_revalidate_s, 20);
  EXPECT_EQ(windows.if_error_s, 0);
  rule.duration.kind = conf::Duration::Kind::App;
  EXPECT_EQ(judge({{"Cache-Control", "max-age=99"}}, rule).ttl_s, 99);
}

TEST(PolicyOrigin, OverrideLetsTheDurationWin) {
  // Over every directive and Expires, and over the app's stale windows; Age stays what it is.
  conf::CacheRule rule = rule_with(OriginMode::Override, 60);
  rule.stale_if_error_s = 5;
  const Lines cases[] = {
      {{"Cache-Control", "no-store"}},
      {{"Cache-Control", "private, no-cache, must-revalidate, max-age=0"}},
      {{"CDN-Cache-Control", "no-store"}},
      {{"Cache-Control", "max-age=9999, stale-if-error=999"}},
      {{"Expires", "0"}},
      {{"Cache-Control", "no-cache=\"x-user\""}, {"X-User", "7"}},
  };
  for (const Lines& lines : cases) {
    const StoreVerdict verdict = judge(lines, rule);
    EXPECT_EQ(verdict.refusal.reason, Reason::None) << lines[0].second;
    EXPECT_EQ(verdict.ttl_s, 60) << lines[0].second;
    EXPECT_TRUE(verdict.shareable);
    EXPECT_EQ(stale_windows(verdict.meta, rule).if_error_s, 5);
  }
  EXPECT_EQ(judge({{"Age", "20"}}, rule).ttl_s, 40);
}

TEST(PolicyOrigin, WhatOverrideAdmittedEndsWithIt) {
  // The entry remembers the app's word, so that a reload to `honor` stops its use.
  const StoreVerdict verdict =
      judge({{"Cache-Control", "private"}}, rule_with(OriginMode::Override, 60));
  const auto reuse = [&](OriginMode origin) {
    return judge_reuse(verdict.meta, rule_with(origin, 60), 300, RequestClass::Shared, {}, kNow_ms)
        .reuse;
  };
  EXPECT_EQ(reuse(OriginMode::Override), Reuse::Fresh);
  EXPECT_EQ(reuse(OriginMode::Honor), Reuse::Refetch);
}

}  // namespace
}  // namespace weir::policy
