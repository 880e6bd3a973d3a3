// What /v1/stats says, and that it is read back as it was meant.
#include <gtest/gtest.h>

#include "proxy/admin/stats_api.h"
#include "proxy/admin/stats_sample.h"

namespace weir::admin {
namespace {

using policy::Verdict;

constexpr auto kHit = static_cast<std::size_t>(Verdict::Hit);
constexpr auto kStale = static_cast<std::size_t>(Verdict::Stale);
constexpr auto kMiss = static_cast<std::size_t>(Verdict::Miss);

Figures some_figures() {
  Figures figures;
  figures.version = "1.2.3";
  figures.revision = "abc";
  figures.uptime_s = 12.5;
  metrics::RouteTotals& blog = figures.totals.routes["blog"];
  blog.requests[{Verdict::Hit, 2, ""}] = 5;
  blog.requests[{Verdict::Hit, 3, ""}] = 1;
  blog.requests[{Verdict::Stale, 2, "stale-while-revalidate"}] = 2;
  blog.requests[{Verdict::Miss, 2, ""}] = 3;
  blog.requests[{Verdict::Bypass, 5, "cookie"}] = 4;
  blog.bytes[kHit] = 500;
  blog.bytes[kStale] = 20;
  blog.bytes[kMiss] = 7;
  figures.totals.routes[""].requests[{Verdict::None, 4, "bad-target"}] = 1;
  figures.totals.durations[kHit].classes[1] = 6;
  figures.totals.upstream.classes[9] = 3;
  figures.totals.collapsed = 2;
  figures.totals.reasons = {{.route = "blog", .detail = "cookie", .subject = "sid", .count = 4}};
  figures.totals.keys = {{.url = "a.test/x", .count = 64}};
  figures.backends = {{.name = "ram",
                       .type = "ram",
                       .max_bytes = 1000,
                       .stats = {.objects = 1,
                                 .bytes = 10,
                                 .hits = 6,
                                 .misses = 3,
                                 .stores = 3,
                                 .evictions = 2,
                                 .errors = 1,
                                 .dropped = 4,
                                 .breaker_open = true}}};
  figures.flights = 1;
  figures.clients = 9;
  figures.app = {.open = 5, .in_use = 3, .most = 256, .waiting = 2};
  return figures;
}

TEST(Stats, TotalsAreTheSumOverRoutes) {
  const Json stats = stats_of(some_figures());
  const Json& totals = stats["totals"];
  EXPECT_EQ(totals["requests"], 16);
  EXPECT_EQ(totals["hits"], 6);
  EXPECT_EQ(totals["stale"], 2);
  EXPECT_EQ(totals["misses"], 3);
  EXPECT_EQ(totals["bypasses"], 4);
  EXPECT_EQ(totals["refused"], 1);
  EXPECT_EQ(totals["errors_5xx"], 4);
  EXPECT_EQ(totals["bytes_sent"], 527);
  EXPECT_EQ(totals["bytes_from_cache"], 520);
  EXPECT_EQ(totals["coalesced"], 2);
  ASSERT_EQ(stats["routes"].size(), 2U);
  EXPECT_EQ(stats["routes"][0]["name"], "");
  EXPECT_EQ(stats["routes"][1]["name"], "blog");
  EXPECT_EQ(stats["routes"][1]["requests"], 15);
}

TEST(Stats, LatenciesAreInMilliseconds) {
  const Json latency = stats_of(some_figures())["latency_ms"];
  EXPECT_EQ(latency["hit"]["count"], 6);
  EXPECT_DOUBLE_EQ(latency["hit"]["p50"].get<double>(), 0.015);
  EXPECT_EQ(latency["bounds"][0], 0.01);
  EXPECT_EQ(latency["bounds"].size() + 1, latency["hit"]["counts"].size());
  EXPECT_EQ(latency["miss"]["p99"], 0);
}

TEST(Stats, AReasonComesWithAdvice) {
  const Json reason = stats_of(some_figures())["reasons"][0];
  EXPECT_EQ(reason["route"], "blog");
  EXPECT_EQ(reason["detail"], "cookie");
  EXPECT_EQ(reason["subject"], "sid");
  EXPECT_EQ(reason["count"], 4);
  EXPECT_EQ(reason["yaml"], "cookies: { ignore: [sid] }");
  EXPECT_NE(reason["text"], "");
}

TEST(Stats, TheAdviceKeepsWhatTheRouteHas) {
  auto config = std::make_shared<conf::Config>();
  config->routes.emplace_back().name = "blog";
  config->routes.back().cache.emplace();
  config->routes.back().cache->cookies.ignore = {"seen"};
  Figures figures = some_figures();
  figures.config = config;
  EXPECT_EQ(stats_of(figures)["reasons"][0]["yaml"], "cookies: { ignore: [seen, sid] }");
}

TEST(Stats, AreReadBackAsTheyWereMeant) {
  const auto sample = read_sample(text_of(stats_of(some_figures())));
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->version, "1.2.3");
  EXPECT_EQ(sample->uptime_s, 12.5);
  EXPECT_EQ(sample->totals.requests, 16);
  EXPECT_EQ(sample->totals.hits, 6);
  EXPECT_EQ(sample->totals.bytes_from_cache, 520);
  EXPECT_EQ(sample->totals.coalesced, 2);
  ASSERT_EQ(sample->routes.size(), 2U);
  EXPECT_EQ(sample->routes[1].bypasses, 4);
  EXPECT_EQ(sample->hit.classes[1], 6U);
  EXPECT_EQ(sample->upstream.classes[9], 3U);
  ASSERT_EQ(sample->backends.size(), 1U);
  EXPECT_EQ(sample->backends[0].max_bytes, 1000);
  EXPECT_EQ(sample->backends[0].dropped, 4);
  EXPECT_TRUE(sample->backends[0].breaker_open);
  EXPECT_EQ(sample->clients, 9);
  EXPECT_EQ(sample->app_in_use, 3);
  EXPECT_EQ(sample->app_waiting, 2);
  EXPECT_EQ(sample->reasons[0].subject, "sid");
  EXPECT_EQ(sample->keys[0].count, 64);
}

TEST(Stats, OfAnotherVersionWhatIsUnderstoodIsRead) {
  for (const char* no_stats : {"", "{", "[]", "7", "{}", R"({"totals": 7})"}) {
    EXPECT_FALSE(read_sample(no_stats)) << no_stats;
  }
  const auto sample = read_sample(
      R"({"totals": {"requests": 5, "hits": "x", "more": 1}, "routes": 7, "backends": [3],
          "latency_ms": {"hit": {"counts": [1, 2]}}, "connections": null, "new": {}})");
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->totals.requests, 5);
  EXPECT_EQ(sample->totals.hits, 0);
  EXPECT_TRUE(sample->routes.empty());
  EXPECT_EQ(sample->hit.count(), 0U);
}

}  // namespace
}  // namespace weir::admin
