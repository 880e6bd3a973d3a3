#include <gtest/gtest.h>

#include <string>

#include "proxy/policy/cache_status.h"
#include "tests/proxy/policy_kit.h"

namespace weir::policy {
namespace {

TEST(PolicyReason, TokensAreTheContract) {
  // Every token that users, scripts and dashboards rely on exists, in the documented order.
  std::string all;
  for (int i = 1; i < static_cast<int>(Reason::Count); ++i) {
    all += token(static_cast<Reason>(i));
    all += ' ';
    EXPECT_FALSE(text(static_cast<Reason>(i)).empty());
  }
  EXPECT_EQ(all,
            "no-route route-off method cookie session authorization set-cookie no-store no-cache "
            "private vary-star variants status too-large truncated armor no-ttl client-no-cache "
            "body stream upgrade upstream-error upstream-timeout stale-while-revalidate "
            "stale-if-error stale-slow only-if-cached ");
  EXPECT_EQ(token(Reason::None), "");
}

TEST(PolicyReason, AreFoundByTheirTokens) {
  for (int i = 1; i < static_cast<int>(Reason::Count); ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_EQ(reason_of(token(reason)), reason);
  }
  EXPECT_EQ(reason_of(""), Reason::None);
  EXPECT_EQ(reason_of("client-gone"), Reason::None);
}

TEST(PolicyReason, TokensAreStructuredFieldTokens) {
  // Cache-Status carries them unquoted, so each is an sf-token (RFC 8941 3.3.4).
  for (int i = 1; i < static_cast<int>(Reason::Count); ++i) {
    const std::string_view word = token(static_cast<Reason>(i));
    EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos);
  }
}

struct StatusCase {
  CacheOutcome outcome;
  std::string field;
  std::string word;
};

CacheOutcome hit(std::int64_t ttl_s, Reason detail = Reason::None) {
  return {.hit = true, .ttl_s = ttl_s, .has_ttl = true, .detail = {detail, {}}};
}

TEST(PolicyCacheStatus, SpellsEveryOutcome) {
  // The field's exact text, parameters in one order (RFC 9211 2), and the log's word.
  const StatusCase cases[] = {
      {hit(57), "weir; hit; ttl=57", "hit"},
      {hit(-3, Reason::StaleWhileRevalidate), "weir; hit; ttl=-3; detail=stale-while-revalidate",
       "stale"},
      {hit(5, Reason::StaleSlow), "weir; hit; ttl=5; detail=stale-slow", "stale"},
      {{.forward = Forward::UriMiss, .stored = true, .ttl_s = 300, .has_ttl = true},
       "weir; fwd=uri-miss; stored; ttl=300",
       "miss"},
      {{.forward = Forward::Stale, .collapsed = true}, "weir; fwd=stale; collapsed", "miss"},
      {{.forward = Forward::Bypass, .detail = {Reason::Cookie, {}}},
       "weir; fwd=bypass; detail=cookie",
       "bypass"},
      {{.forward = Forward::Method, .detail = {Reason::Method, {}}},
       "weir; fwd=method; detail=method",
       "bypass"},
      {{.forward = Forward::VaryMiss, .forward_status = 304, .stored = true, .collapsed = true},
       "weir; fwd=vary-miss; fwd-status=304; stored; collapsed",
       "miss"},
      {{.forward = Forward::Miss}, "weir; fwd=miss", "miss"},
      {{.forward = Forward::Request, .detail = {Reason::ClientNoCache, {}}},
       "weir; fwd=request; detail=client-no-cache",
       "miss"},
      {{.forward = Forward::Partial}, "weir; fwd=partial", "miss"},
      {{.detail = {Reason::OnlyIfCached, {}}}, "weir; detail=only-if-cached", "miss"},
      {{}, "weir", "bypass"},
  };
  for (const StatusCase& c : cases) {
    std::string out = "x, ";
    append_cache_status(out, c.outcome);
    EXPECT_EQ(out, "x, " + c.field);
    EXPECT_EQ(token(verdict_of(c.outcome)), c.word) << c.field;
  }
}

TEST(PolicyCacheStatus, StoredBelongsToForwardedRequests) {
  // A hit says neither stored nor collapsed (RFC 9211 2.5, 2.6).
  std::string out;
  append_cache_status(out, {.hit = true, .stored = true, .collapsed = true});
  EXPECT_EQ(out, "weir; hit");
}

TEST(PolicyCacheStatus, HoldsTheLongestThereCanBe) {
  for (int i = 1; i < static_cast<int>(Reason::Count); ++i) {
    const auto reason = static_cast<Reason>(i);
    std::string out;
    append_cache_status(out, {.forward = Forward::VaryMiss,
                              .forward_status = UINT16_MAX,
                              .stored = true,
                              .collapsed = true,
                              .ttl_s = INT64_MIN,
                              .has_ttl = true,
                              .detail = {reason, {}}});
    EXPECT_EQ(out,
              "weir; fwd=vary-miss; fwd-status=65535; stored; collapsed; "
              "ttl=-9223372036854775808; detail=" +
                  std::string(token(reason)));
  }
}

}  // namespace
}  // namespace weir::policy
