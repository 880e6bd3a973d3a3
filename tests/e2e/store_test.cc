// Which answers are stored, for how long, and what Cache-Status says of it.
#include <ctime>

#include "tests/e2e/store_fixture.h"

namespace weir::test {
namespace {

using testing::AnyOf;

std::string http_date(std::time_t at) {
  char text[64];
  std::tm parts{};
  gmtime_r(&at, &parts);
  std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text;
}

TEST_F(Store, AMissThenAHit) {
  // The two answers everyone sees first, to the letter.
  origin_.on("/a", cacheable("hello").header("X-App", "yes"));
  start(kCacheAll);
  const Response miss = get("/a");
  EXPECT_EQ(miss.value("Cache-Status"), "weir; fwd=uri-miss; stored; ttl=60");
  EXPECT_EQ(miss.body, "hello");
  const Response hit = get("/a");
  EXPECT_THAT(hit.value("Cache-Status"),
              AnyOf("weir; hit; ttl=60", "weir; hit; ttl=59", "weir; hit; ttl=58"));
  EXPECT_THAT(hit.value("Age"), AnyOf("0", "1", "2"));
  EXPECT_EQ(hit.value("X-App"), "yes");
  EXPECT_EQ(hit.value("Content-Length"), "5");
  EXPECT_EQ(hit.fields.joined("Via"), "1.1 weir");
  EXPECT_EQ(hit.body, "hello");
  EXPECT_EQ(origin_.hits(), 1);
}

TEST_F(Store, AgeGrowsAndFreshnessEnds) {
  // What was fresh for a second is asked for again, and until then it ages.
  origin_.on("/short", cacheable("x", "max-age=1"));
  origin_.on("/long", cacheable("y"));
  start(kCacheAll);
  get("/short");
  get("/long");
  EXPECT_TRUE(eventually([&] { return get("/long").value("Age") == "1"; }));
  EXPECT_TRUE(eventually([&] {
    get("/short");
    return origin_.hits("/short") > 1;
  }));
  EXPECT_EQ(origin_.hits("/long"), 1);
}

TEST_F(Store, RoutesDecideFirst) {
  // No route, and a route without a cache, pass through under their own names.
  origin_.otherwise([](const Request&) { return cacheable("x"); });
  start(
      "routes:\n"
      "  - { match: /cached/**, cache: true }\n"
      "  - { match: /off/**, cache: false }\n"
      "  - { match: /plain/** }\n");
  expect_refused("/none", "no-route");
  expect_refused("/off/x", "route-off");
  expect_refused("/plain/x", "route-off");
  expect_stored("/cached/x", 60);
  EXPECT_EQ(get("/none").value("Cache-Status"), "weir; fwd=bypass; detail=no-route");
}

TEST_F(Store, ModulesInheritAndMatchersCombine) {
  // Children come before their module and take its cache; path, host and method may be asked for.
  origin_.otherwise([](const Request&) { return Reply(200).body("x"); });
  start(
      "routes:\n"
      "  - name: shop\n"
      "    match: /shop/**\n"
      "    cache: { duration: 5m }\n"
      "    routes:\n"
      "      - { match: /shop/cart/**, cache: false }\n"
      "      - { match: /shop/fast/*, cache: { duration: 7 } }\n"
      "  - { match: { path: /api/**, host: api.test }, cache: { duration: 9 } }\n"
      "  - { match: [/one, /two], cache: { duration: 11 } }\n"
      "  - { match: { regex: \"^/r[0-9]+$\" }, cache: { duration: 13 } }\n");
  expect_stored("/shop", 300);
  expect_stored("/shop/a/b", 300);
  expect_stored("/shop/fast/a", 7);
  expect_stored("/shop/fast/a/b", 300);
  expect_refused("/shop/cart/1", "route-off");
  expect_refused("/api/x", "no-route");
  EXPECT_EQ(status_of("/api/x", {{"Host", "api.test"}}).ttl, 9);
  expect_stored("/two", 11);
  expect_stored("/r12", 13);
  expect_refused("/r12x", "no-route");
}

TEST_F(Store, FreshnessComesFromTheFirstThatSpeaks) {
  // CDN-Cache-Control, s-maxage, max-age, Expires, the route, the backend; the app's Age
  // subtracted.
  const std::time_t now = std::time(nullptr);
  origin_.on("/cdn",
             cacheable("x", "max-age=5, s-maxage=20").header("CDN-Cache-Control", "max-age=30"));
  origin_.on("/smaxage", cacheable("x", "max-age=5, s-maxage=20"));
  origin_.on("/maxage", cacheable("x", "max-age=10").header("Expires", http_date(now + 900)));
  origin_.on(
      "/expires",
      Reply(200).header("Date", http_date(now)).header("Expires", http_date(now + 100)).body("x"));
  origin_.on("/route", Reply(200).body("x"));
  origin_.on("/aged", cacheable("x", "max-age=60").header("Age", "10"));
  origin_.on("/backend/x", Reply(200).body("x"));
  start(
      "backends: { ram: { type: ram, default_expire: 77 } }\n"
      "routes:\n"
      "  - { match: /backend/**, cache: true }\n"
      "  - { match: /**, cache: { duration: 40 } }\n");
  expect_stored("/cdn", 30);
  expect_stored("/smaxage", 20);
  expect_stored("/maxage", 10);
  expect_stored("/expires", 100);
  expect_stored("/route", 40);
  expect_stored("/aged", 50);
  expect_stored("/backend/x", 77);
  EXPECT_THAT(get("/aged").value("Age"), AnyOf("10", "11", "12"));
}

TEST_F(Store, TheBackendsDefaultIs300Seconds) {
  // cache: true without a word from anybody else.
  origin_.on("/a", Reply(200).body("x"));
  start("routes: [ { match: /**, cache: true } ]\n");
  expect_stored("/a", 300);
}

TEST_F(Store, DurationApp) {
  // `app`: only what the app itself marks as fresh.
  origin_.on("/marked", cacheable("x", "max-age=10"));
  origin_.on("/silent", Reply(200).body("x"));
  start("routes: [ { match: /**, cache: { duration: app } } ]\n");
  expect_stored("/marked", 10);
  expect_refused("/silent", "no-ttl");
}

TEST_F(Store, DurationZeroAsksTheAppEachTime) {
  // `0`: stored, but validated at every use, so that every request reaches the app.
  origin_.on("/a", Reply(200).header("ETag", "\"v1\"").body("x"));
  start("routes: [ { match: /**, cache: { duration: 0 } } ]\n");
  const auto [first, second] = ask_twice("/a");
  EXPECT_FALSE(first.hit || second.hit) << first.text << "\n" << second.text;
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(Store, WhatTheAppForbidsIsNotStored) {
  // Each refusal by its stable name, twice, and the app asked twice.
  origin_.on("/no-store", cacheable("x", "no-store"));
  origin_.on("/private", cacheable("x", "private, max-age=60"));
  origin_.on("/vary", cacheable("x").header("Vary", "*"));
  origin_.on("/cookie", cacheable("x").header("Set-Cookie", "sid=1"));
  origin_.on("/stream",
             Reply(200).header("Content-Type", "text/event-stream").chunked().part("data: x\n\n"));
  origin_.on("/unframed",
             Reply(200).header("Cache-Control", "max-age=60").until_close().part("whole?"));
  origin_.on("/a.css", Reply(200).header("Content-Type", "text/html").body("x"));
  origin_.on("/a.js", cacheable("x").header("Set-Cookie", "a=b"));
  origin_.on("/418", Reply(418).header("Cache-Control", "max-age=60").body("x"));
  start(kCacheAll);
  expect_refused("/no-store", "no-store");
  expect_refused("/private", "private");
  expect_refused("/vary", "vary-star");
  expect_refused("/cookie", "set-cookie");
  expect_refused("/stream", "stream");
  expect_refused("/unframed", "truncated");
  expect_refused("/a.css", "armor");
  expect_refused("/418", "status");
}

TEST_F(Store, StaticFilesOfTheRightTypeAreStored) {
  // The armor only stops extensions whose Content-Type contradicts them; it can be switched off.
  origin_.on("/a.css", Reply(200).header("Content-Type", "text/css; charset=utf-8").body("x"));
  origin_.on("/off/a.css", Reply(200).header("Content-Type", "text/html").body("x"));
  start(
      "routes:\n"
      "  - { match: /off/**, cache: { duration: 60, armor: false } }\n"
      "  - { match: /**, cache: { duration: 60 } }\n");
  expect_stored("/a.css", 60);
  expect_stored("/off/a.css", 60);
}

TEST_F(Store, NoCacheIsNeverServedWithoutTheApp) {
  // no-cache and max-age=0: whatever is kept, the app is asked.
  origin_.on("/no-cache", cacheable("x", "no-cache"));
  origin_.on("/zero", cacheable("x", "max-age=0"));
  origin_.on("/past", Reply(200).header("Expires", "0").body("x"));
  start(kCacheAll);
  for (const char* path : {"/no-cache", "/zero", "/past"}) {
    const auto [first, second] = ask_twice(path);
    EXPECT_FALSE(second.hit) << second.text;
    EXPECT_EQ(origin_.hits(path), 2);
  }
}

TEST_F(Store, MethodsOtherThanGetAndHeadAreNotCached) {
  // POST passes with detail=method, and what it brought is not served to a GET.
  origin_.on("/a", [](const Request& request) { return cacheable(request.method); });
  start(kCacheAll);
  EXPECT_EQ(cache_status(client().request("POST", "/a", {}, "x")).detail, "method");
  EXPECT_EQ(get("/a").body, "GET");
}

TEST_F(Store, AGetWithABodyBypasses) {
  // A fat GET reaches the app with its body, and neither reads nor feeds the cache.
  origin_.on("/a", [](const Request& request) { return cacheable("body=" + request.body); });
  start(kCacheAll);
  get("/a");
  const Response fat = client().request("GET", "/a", {}, "evil");
  EXPECT_EQ(cache_status(fat).detail, "body");
  EXPECT_EQ(fat.body, "body=evil");
  const Response again = get("/a");
  EXPECT_EQ(again.body, "body=");
  EXPECT_TRUE(cache_status(again).hit);
}

TEST_F(Store, LargeObjectsPassUncut) {
  // Past max_object_size a body is passed through whole: its length known, or found out on the way.
  const std::string big = patterned(200'000);
  origin_.on("/known", cacheable(big));
  origin_.on("/unknown", Reply(200).header("Cache-Control", "max-age=60").chunked().part(big));
  origin_.on("/small", cacheable(big.substr(0, 60'000)));
  start("backends: { ram: { type: ram, max_object_size: 64KiB } }\n" + std::string(kCacheAll));
  expect_refused("/known", "too-large");
  EXPECT_EQ(get("/known").body, big);
  for (int i = 0; i < 2; ++i) {
    const Response response = get("/unknown");
    EXPECT_TRUE(response.complete && response.body == big);
    EXPECT_FALSE(cache_status(response).hit);
  }
  expect_stored("/small", 60);
}

TEST_F(Store, ChunkedAnswersAreStoredWhole) {
  // A chunked answer becomes an object like any other; hits carry its length.
  origin_.on("/a",
             Reply(200).header("Cache-Control", "max-age=60").chunked().part("hel").part("lo"));
  start(kCacheAll);
  EXPECT_EQ(get("/a").body, "hello");
  const Response hit = get("/a");
  EXPECT_TRUE(cache_status(hit).hit);
  EXPECT_EQ(hit.value("Content-Length"), "5");
  EXPECT_EQ(hit.body, "hello");
}

TEST_F(Store, EmptyBodiesAreStored) {
  // Nothing is a body too.
  origin_.on("/a", cacheable(""));
  start(kCacheAll);
  expect_stored("/a", 60);
}

}  // namespace
}  // namespace weir::test
