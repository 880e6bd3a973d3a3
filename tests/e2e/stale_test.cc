// What is no longer fresh: when it still answers, and under which name.
#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

class Stale : public E2e {
 protected:
  // Asks until the app has been asked `count` times, which is when the stored answer has expired;
  // returns the answer of that last request.
  Response ask_until_hits(const std::string& path, int count) {
    Response response;
    if (!eventually([&] {
          response = get(path);
          return origin_.hits(path) >= count;
        }))
      throw TimedOut("the stored answer does not expire");
    return response;
  }
};

TEST_F(Stale, WhileRevalidateServesTheOldOneAndRefreshesBehind) {
  // RFC 5861 3: nobody waits for the app, and the next client has the new answer.
  const Gate gate;
  origin_.script("/a", {cacheable("old", "max-age=1, stale-while-revalidate=600"),
                        cacheable("new").gate_head(gate)});
  start(kCacheAll);
  EXPECT_EQ(get("/a").body, "old");
  Response response;
  ASSERT_TRUE(eventually([&] {
    response = get("/a");
    return cache_status(response).detail == "stale-while-revalidate";
  }));
  EXPECT_EQ(response.body, "old");
  gate.await_arrivals(1);
  EXPECT_EQ(get("/a").body, "old") << "while the refresh is under way";
  gate.open();
  EXPECT_TRUE(eventually([&] { return get("/a").body == "new"; }));
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(Stale, RefreshesLeaveConnectionsToThoseWhoWait) {
  // However many stale pages are hit at once, half of the connections are not theirs.
  constexpr int kPages = 12;
  const Gate gate;
  std::atomic<bool> first = true;
  origin_.otherwise([&](const Request&) {
    Reply reply = cacheable("page", "max-age=1, stale-while-revalidate=600");
    return first ? std::move(reply) : std::move(reply.gate_head(gate));
  });
  origin_.on("/new", Reply(200).body("new"));
  start(std::string(kCacheAll) + "upstream: { url: \"" + origin_.url() +
        "\", max_connections: 2 }\n");
  const auto page = [](int i) { return "/" + std::to_string(i); };
  for (int i = 0; i < kPages; ++i) EXPECT_EQ(get(page(i)).body, "page");
  first = false;
  for (int i = 0; i < kPages; ++i) {
    ASSERT_TRUE(
        eventually([&] { return cache_status(get(page(i))).detail == "stale-while-revalidate"; }));
  }
  gate.await_arrivals(1);
  EXPECT_EQ(get("/new").body, "new");
  gate.open();
  EXPECT_TRUE(eventually([&] { return origin_.hits(page(kPages - 1)) == 2; }));
}

TEST_F(Stale, ARefreshThatFailsIsNotRepeatedAtEveryHit) {
  // An app in trouble is not asked once more by each client that the old answer serves.
  origin_.script(
      "/a", {cacheable("old", "max-age=1, stale-while-revalidate=600"), Reply(500).body("down")});
  start(kCacheAll);
  EXPECT_EQ(get("/a").body, "old");
  ask_until_hits("/a", 2);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get("/a").body, "old");
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(Stale, TheRoutesWindowCountsWhereTheAppIsSilent) {
  // stale_while_revalidate of the route.
  origin_.script("/a", {cacheable("old", "max-age=1"), cacheable("new")});
  start("routes: [ { match: /**, cache: { duration: 60, stale_while_revalidate: 10m } } ]\n");
  EXPECT_EQ(get("/a").body, "old");
  Response response;
  EXPECT_TRUE(eventually([&] {
    response = get("/a");
    return cache_status(response).detail == "stale-while-revalidate";
  }));
  EXPECT_EQ(response.body, "old");
  EXPECT_TRUE(eventually([&] { return get("/a").body == "new"; }));
}

TEST_F(Stale, IfErrorCoversAFailingApp) {
  // RFC 5861 4: a 5xx and a dead app are hidden behind what is stored, each time under its name.
  origin_.script("/a",
                 {cacheable("old", "max-age=1, stale-if-error=600"), Reply(503).body("down")});
  start(std::string(kCacheAll) + "upstream: { url: \"" + origin_.url() + "\", retries: 0 }\n");
  EXPECT_EQ(get("/a").body, "old");
  Response response = ask_until_hits("/a", 2);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "old");
  EXPECT_EQ(cache_status(response).detail, "stale-if-error");
  origin_.stop();
  response = get("/a");
  EXPECT_EQ(response.body, "old");
  EXPECT_EQ(cache_status(response).detail, "stale-if-error");
}

TEST_F(Stale, WithoutPermissionAnErrorIsAnError) {
  // No stale window: the app's error reaches the client; must-revalidate forbids any window.
  origin_.script("/plain", {cacheable("old", "max-age=1"), Reply(503).body("down")});
  origin_.script("/must", {cacheable("old", "max-age=1, must-revalidate, stale-if-error=600"),
                           Reply(503).body("down")});
  start(kCacheAll);
  for (const char* path : {"/plain", "/must"}) {
    EXPECT_EQ(get(path).body, "old");
    EXPECT_EQ(ask_until_hits(path, 2).status, 503) << path;
  }
}

TEST_F(Stale, AfterALittleWhileASlowAppIsCovered) {
  // stale_after: the stale copy answers, the fetch goes on and refreshes the cache.
  const Gate gate;
  origin_.script("/a", {cacheable("old", "max-age=1"), cacheable("new").gate_head(gate)});
  start(
      "routes: [ { match: /**, cache: { duration: 60, stale_after: 200ms, stale_if_error: 1h } } "
      "]\n");
  EXPECT_EQ(get("/a").body, "old");
  const Response response = ask_until_hits("/a", 2);
  EXPECT_EQ(response.body, "old");
  EXPECT_EQ(cache_status(response).detail, "stale-slow");
  gate.open();
  EXPECT_TRUE(eventually([&] { return get("/a").body == "new"; }));
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(Stale, AClientsNoCacheCountsOnlyWhereTheRouteHonoursIt) {
  // client_no_cache: honor sends such a request to the app; the default serves the hit.
  const auto counter = [] {
    auto calls = std::make_shared<std::atomic<int>>(0);
    return [calls](const Request&) { return cacheable(std::to_string(++*calls)); };
  };
  origin_.on("/honor/a", counter());
  origin_.on("/ignore/a", counter());
  start(
      "routes:\n"
      "  - { match: /honor/*, cache: { duration: 60, client_no_cache: honor } }\n"
      "  - { match: /**, cache: { duration: 60 } }\n");
  for (const char* path : {"/honor/a", "/ignore/a"}) get(path);
  EXPECT_EQ(get("/ignore/a", {{"Cache-Control", "no-cache"}}).body, "1");
  const Response forced = get("/honor/a", {{"Cache-Control", "no-cache"}});
  EXPECT_EQ(forced.body, "2");
  EXPECT_EQ(cache_status(forced).detail, "client-no-cache");
  EXPECT_EQ(get("/honor/a").body, "2") << "what it brought is what is stored now";
}

}  // namespace
}  // namespace weir::test
