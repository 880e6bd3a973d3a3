// The rules of a route that widen or narrow what is stored, and the bounds of the backends.
#include "tests/e2e/store_fixture.h"

namespace weir::test {
namespace {

class StoreRules : public Store {};

TEST_F(StoreRules, Statuses) {
  // A map adds to 200, each with its duration; 5xx only with the app's own word.
  const auto answer = [](int status, const char* control) {
    Reply reply(status);
    if (*control != '\0') reply.header("Cache-Control", control);
    return reply.body("x");
  };
  origin_.on("/200", answer(200, ""));
  origin_.on("/404", answer(404, ""));
  origin_.on("/404-own", answer(404, "max-age=30"));
  origin_.on("/301", answer(301, "").header("Location", "/x"));
  origin_.on("/503", answer(503, ""));
  origin_.on("/503-own", answer(503, "max-age=5"));
  origin_.on("/500", answer(500, "max-age=60"));
  start(
      "routes: [ { match: /**, cache: { duration: 60, "
      "statuses: { 404: 10s, 301: 1h, 503: explicit } } } ]\n");
  expect_stored("/200", 60);
  expect_stored("/404", 10);
  expect_stored("/404-own", 30);
  expect_stored("/301", 3600);
  expect_stored("/503-own", 5);
  expect_refused("/500", "status");
  EXPECT_FALSE(ask_twice("/503").second.hit);
}

TEST_F(StoreRules, OriginModes) {
  // honor, framework, cap, override: whose word counts.
  const std::vector<std::pair<std::string, std::string>> answers = {
      {"short", "max-age=10"},
      {"long", "max-age=3600"},
      {"framework", "max-age=0, private, must-revalidate"},
      {"laravel", "no-cache, private"},
      {"private", "private"}};
  std::string yaml = "routes:\n";
  for (const std::string mode : {"honor", "framework", "cap", "override"}) {
    yaml += "  - { match: /" + mode + "/*, cache: { duration: 60, origin: " + mode + " } }\n";
    for (const auto& [name, control] : answers)
      origin_.on("/" + mode + "/" + name, cacheable("x", control));
  }
  start(yaml);
  expect_stored("/honor/short", 10);
  expect_stored("/honor/long", 3600);
  expect_refused("/honor/framework", "private");
  expect_stored("/framework/short", 10);
  expect_stored("/framework/framework", 60);
  expect_stored("/framework/laravel", 60);
  expect_refused("/framework/private", "private");
  expect_stored("/cap/short", 10);
  expect_stored("/cap/long", 60);
  expect_refused("/cap/private", "private");
  expect_stored("/override/short", 60);
  expect_stored("/override/long", 60);
}

TEST_F(StoreRules, NoOriginModeSetsCookiesOrCredentialsAside) {
  // override and framework admit neither Set-Cookie nor the answer to an authorized request.
  for (const std::string mode : {"override", "framework"})
    origin_.on("/" + mode + "/cookie", cacheable("x").header("Set-Cookie", "sid=1"));
  origin_.on("/override/auth", cacheable("x", "max-age=5"));
  start(
      "routes:\n"
      "  - { match: /override/*, cache: { duration: 60, origin: override } }\n"
      "  - { match: /framework/*, cache: { duration: 60, origin: framework } }\n");
  expect_refused("/override/cookie", "set-cookie");
  expect_refused("/framework/cookie", "set-cookie");
  const auto [first, second] = ask_twice("/override/auth", {{"Authorization", "Basic eA=="}});
  EXPECT_FALSE(first.stored || second.hit) << second.text;
  EXPECT_EQ(second.detail, "authorization");
}

TEST_F(StoreRules, SetCookieModes) {
  // refuse, strip, {strip: names}, store.
  const auto two = [] {
    return cacheable("x").header("Set-Cookie", "a=1").header("Set-Cookie", "b=2");
  };
  for (const char* path : {"/refuse/x", "/strip/x", "/some/x", "/both/x", "/store/x"})
    origin_.on(path, two());
  start(
      "routes:\n"
      "  - { match: /refuse/*, cache: { duration: 60 } }\n"
      "  - { match: /strip/*, cache: { duration: 60, set_cookie: strip } }\n"
      "  - { match: /some/*, cache: { duration: 60, set_cookie: { strip: [a] } } }\n"
      "  - { match: /both/*, cache: { duration: 60, set_cookie: { strip: [a, b] } } }\n"
      "  - { match: /store/*, cache: { duration: 60, set_cookie: store } }\n");
  expect_refused("/refuse/x", "set-cookie");
  EXPECT_EQ(get("/refuse/x").fields.count("Set-Cookie"), 2);
  expect_refused("/some/x", "set-cookie");
  EXPECT_TRUE(get("/some/x").fields.has("Set-Cookie"));
  for (const char* path : {"/strip/x", "/both/x"}) {
    EXPECT_FALSE(get(path).fields.has("Set-Cookie")) << path << ": not on the miss either";
    EXPECT_FALSE(get(path).fields.has("Set-Cookie")) << path;
    EXPECT_EQ(origin_.hits(path), 1);
  }
  expect_stored("/store/x", 60);
  EXPECT_EQ(get("/store/x").fields.count("Set-Cookie"), 2);
}

TEST_F(StoreRules, SeveralBackendsAndADefault) {
  // Routes name their backend; the others take the default; nothing is shared between them.
  origin_.otherwise([](const Request&) { return Reply(200).body("x"); });
  start(
      "backends:\n"
      "  one: { type: ram, default_expire: 11 }\n"
      "  two: { type: ram, default_expire: 22 }\n"
      "default: one\n"
      "routes:\n"
      "  - { match: /two/**, cache: { backend: two } }\n"
      "  - { match: /tiers/**, cache: { backend: [two, one] } }\n"
      "  - { match: /**, cache: true }\n");
  expect_stored("/x", 11);
  expect_stored("/two/x", 22);
  expect_stored("/tiers/x", 22);
}

TEST_F(StoreRules, AThresholdBoundsTheCount) {
  // threshold: 2 holds two objects; a third one drives another out.
  origin_.otherwise([](const Request& request) { return cacheable(request.path); });
  start("backends: { ram: { type: ram, threshold: 2 } }\nworkers: 1\n" + std::string(kCacheAll));
  for (const char* path : {"/1", "/2", "/3"}) get(path);
  int hits = 0;
  for (const char* path : {"/1", "/2", "/3"}) hits += status_of(path).hit ? 1 : 0;
  EXPECT_LE(hits, 2);
  EXPECT_GT(origin_.hits(), 3);
  get("/4");
  EXPECT_TRUE(status_of("/4").hit) << "the newest is there";
}

TEST_F(StoreRules, ManyObjectsStayWithinMaxSize) {
  // max_size bounds memory whatever passes through.
  origin_.otherwise([](const Request&) { return cacheable(std::string(100'000, 'x')); });
  start("backends: { ram: { type: ram, max_size: 4MiB } }\naccess_log: off\n" +
        std::string(kCacheAll));
  const long before = weir().figures().rss_kib;
  Client one = client();
  for (int i = 0; i < 1000; ++i) one.get("/" + std::to_string(i));
  EXPECT_LT(weir().figures().rss_kib - before, is_sanitized() ? 400'000 : 24'000);
  EXPECT_TRUE(status_of("/999").hit);
}

}  // namespace
}  // namespace weir::test
