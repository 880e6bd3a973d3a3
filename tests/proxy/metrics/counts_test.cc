#include "proxy/metrics/counts.h"

#include <gtest/gtest.h>

#include <thread>

namespace weir::metrics {
namespace {

using policy::Verdict;

Ended hit(std::uint64_t bytes = 10) {
  return {.verdict = Verdict::Hit, .status = 200, .bytes = bytes, .total_us = 15};
}

Ended refused(std::string_view detail, std::string_view subject) {
  return {.verdict = Verdict::Bypass, .status = 200, .detail = detail, .subject = subject};
}

std::uint64_t count_of(const Totals& totals, const std::string& route, const RequestKind& kind) {
  const auto found = totals.routes.find(route);
  if (found == totals.routes.end()) return 0;
  const auto at = found->second.requests.find(kind);
  return at == found->second.requests.end() ? 0 : at->second;
}

Totals with_top(const Counts& counts) {
  Totals totals = counts.total();
  counts.add_top(totals);
  return totals;
}

TEST(Counts, WhatLoopsCountAddsUpByRouteStatusVerdictAndDetail) {
  Counts counts;
  for (int i = 0; i < 2; ++i) {
    LoopCounts& loop = counts.add_loop();
    loop.count(&loop.of_route("blog"), hit());
    loop.count(&loop.of_route("blog"), {.verdict = Verdict::Hit, .status = 304});
    loop.count(&loop.of_route("blog"), refused("cookie", "sid"));
    loop.count(nullptr, {.status = 400, .detail = "bad-target"});
    loop.count(nullptr, {.status = 0, .detail = "client-gone"});
  }
  const Totals totals = counts.total();
  EXPECT_EQ(count_of(totals, "blog", {Verdict::Hit, 2, ""}), 2U);
  EXPECT_EQ(count_of(totals, "blog", {Verdict::Hit, 3, ""}), 2U);
  EXPECT_EQ(count_of(totals, "blog", {Verdict::Bypass, 2, "cookie"}), 2U);
  EXPECT_EQ(count_of(totals, "", {Verdict::None, 4, "bad-target"}), 2U);
  EXPECT_EQ(count_of(totals, "", {Verdict::None, 0, "client-gone"}), 2U);
  EXPECT_EQ(totals.routes.at("blog").requests_of(Verdict::Hit), 4U);
  EXPECT_EQ(totals.routes.at("blog").bytes[static_cast<std::size_t>(Verdict::Hit)], 20U);
}

TEST(Counts, ARouteOfTheSameNameGoesOnWithItsCounts) {
  // As after a reload: the routes are others, and what was counted must not go back.
  Counts counts;
  LoopCounts& loop = counts.add_loop();
  loop.count(&loop.of_route("a"), hit());
  EXPECT_EQ(&loop.of_route("a"), &loop.of_route("a"));
  loop.count(&loop.of_route("b"), hit());
  loop.count(&loop.of_route("a"), hit());
  EXPECT_EQ(count_of(counts.total(), "a", {Verdict::Hit, 2, ""}), 2U);
  EXPECT_EQ(count_of(counts.total(), "b", {Verdict::Hit, 2, ""}), 1U);
}

TEST(Counts, DurationsAreOfTheirVerdictAndTunnelsSayNothing) {
  Counts counts;
  LoopCounts& loop = counts.add_loop();
  loop.count(nullptr, hit());
  loop.count(nullptr, {.verdict = Verdict::Miss, .total_us = 7'000, .upstream_ms = 6});
  loop.count(nullptr, {.verdict = Verdict::Bypass, .total_us = -1});
  const Totals totals = counts.total();
  EXPECT_EQ(totals.durations[static_cast<std::size_t>(Verdict::Hit)].sum_us, 15U);
  EXPECT_EQ(totals.durations[static_cast<std::size_t>(Verdict::Miss)].sum_us, 7'000U);
  EXPECT_EQ(totals.durations[static_cast<std::size_t>(Verdict::Bypass)].count(), 0U);
  EXPECT_EQ(totals.upstream.count(), 1U);
  EXPECT_EQ(totals.upstream.sum_us, 6'000U);
}

TEST(Counts, ReasonsNameTheirSubjectsTheMostFrequentFirst) {
  Counts counts;
  LoopCounts& one = counts.add_loop();
  LoopCounts& two = counts.add_loop();
  one.count(&one.of_route("blog"), refused("cookie", "sid"));
  for (int i = 0; i < 2; ++i) two.count(&two.of_route("blog"), refused("cookie", "sid"));
  two.count(&two.of_route("shop"), refused("cookie", "sid"));
  one.count(nullptr, refused("no-route", ""));
  // A hit has no reason, and a copy that was served stale is none for not caching.
  one.count(nullptr, hit());
  one.count(nullptr, {.verdict = Verdict::Stale, .detail = "stale-while-revalidate"});
  const std::vector<ReasonCount> reasons = with_top(counts).reasons;
  ASSERT_EQ(reasons.size(), 3U);
  EXPECT_EQ(reasons[0].route, "blog");
  EXPECT_EQ(reasons[0].detail, "cookie");
  EXPECT_EQ(reasons[0].subject, "sid");
  EXPECT_EQ(reasons[0].count, 3U);
  EXPECT_EQ(reasons[1].route, "shop");
  EXPECT_EQ(reasons[2].detail, "no-route");
  EXPECT_EQ(reasons[2].subject, "");
}

TEST(Counts, KeysAreEstimatedFromSamples) {
  Counts counts;
  LoopCounts& loop = counts.add_loop();
  int sampled = 0;
  constexpr int kRequests = 3'200;
  for (int i = 0; i < kRequests; ++i) {
    if (!loop.wants_url()) continue;
    ++sampled;
    loop.count_url("app.test", "/page?a=1");
  }
  EXPECT_LT(sampled, kRequests / 10);
  const std::vector<KeyCount> keys = with_top(counts).keys;
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].url, "app.test/page?a=1");
  EXPECT_EQ(keys[0].count, static_cast<std::uint64_t>(kRequests));
}

TEST(Counts, AnybodyMayReadWhileALoopCounts) {
  // Nothing that was counted goes back, and in the end nothing is lost.
  Counts counts;
  LoopCounts& loop = counts.add_loop();
  constexpr int kRequests = 20'000;
  std::jthread counting([&] {
    for (int i = 0; i < kRequests; ++i) {
      RouteCounts& route = loop.of_route(i % 2 == 0 ? "a" : "b");
      loop.count(&route, i % 3 == 0 ? refused("cookie", "sid") : hit());
      if (loop.wants_url()) loop.count_url("app.test", std::to_string(i));
    }
  });
  std::uint64_t before = 0;
  while (before < kRequests) {
    std::uint64_t sum = 0;
    for (const auto& [name, route] : counts.total().routes) {
      sum += route.requests_of(Verdict::Hit) + route.requests_of(Verdict::Bypass);
    }
    ASSERT_GE(sum, before);
    before = sum;
  }
  EXPECT_EQ(before, static_cast<std::uint64_t>(kRequests));
}

TEST(Counts, RoutesThatComeAndGoDoNotPileUp) {
  Counts counts;
  LoopCounts& loop = counts.add_loop();
  for (std::size_t i = 0; i < LoopCounts::kMostRoutes + 10; ++i) {
    loop.count(&loop.of_route("route " + std::to_string(i)),
               {.verdict = Verdict::Hit, .status = 200});
  }
  EXPECT_EQ(counts.total().routes.size(), LoopCounts::kMostRoutes + 2);  // others, and no route
  EXPECT_EQ(count_of(counts.total(), "route 7", {Verdict::Hit, 2, ""}), 1U);
  EXPECT_EQ(count_of(counts.total(), "(others)", {Verdict::Hit, 2, ""}), 10U);
}

}  // namespace
}  // namespace weir::metrics
