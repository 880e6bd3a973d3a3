// Vary: one URL, several answers.
#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

using testing::AnyOf;

class Vary : public E2e {
 protected:
  bool is_hit(std::string_view target, const Fields& fields = {}) {
    return status_of(target, fields).hit;
  }
  // An app that compresses when it may.
  void compress(const std::string& path, bool says_vary) {
    origin_.on(path, [says_vary](const Request& request) {
      const bool gzip = request.fields.joined("Accept-Encoding").find("gzip") != std::string::npos;
      Reply reply = cacheable(gzip ? "<gzip>" : "plain");
      if (gzip) reply.header("Content-Encoding", "gzip");
      if (says_vary) reply.header("Vary", "Accept-Encoding");
      return reply;
    });
  }
};

TEST_F(Vary, EncodingsAreNormalised) {
  // gzip in any spelling is one variant, identity another.
  compress("/a", true);
  start(kCacheAll);
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip, deflate"}}).body, "<gzip>");
  EXPECT_TRUE(is_hit("/a", {{"Accept-Encoding", "deflate,gzip;q=0.7"}}));
  const Response plain = get("/a");
  EXPECT_FALSE(cache_status(plain).hit);
  EXPECT_THAT(cache_status(plain).fwd, AnyOf("vary-miss", "uri-miss"));
  EXPECT_EQ(plain.body, "plain");
  EXPECT_TRUE(is_hit("/a", {{"Accept-Encoding", "identity"}}));
  EXPECT_TRUE(is_hit("/a", {{"Accept-Encoding", "gzip;q=0"}}));
  EXPECT_TRUE(is_hit("/a", {{"Accept-Encoding", "gzip"}}));
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(Vary, AnEncodingIsOnlyServedToThoseWhoAcceptIt) {
  // Even where the app forgot Vary: Accept-Encoding.
  compress("/a", false);
  start(kCacheAll);
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip"}}).body, "<gzip>");
  EXPECT_EQ(get("/a").body, "plain");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "br"}}).body, "plain");
  const Response again = get("/a", {{"Accept-Encoding", "gzip"}});
  EXPECT_THAT(again.body, AnyOf("<gzip>", "plain"));
  EXPECT_EQ(again.body == "<gzip>", again.fields.has("Content-Encoding"));
}

TEST_F(Vary, OnAnyHeader) {
  // Each value of the named header is its own answer.
  origin_.on("/a", [](const Request& request) {
    return cacheable(request.fields.joined("X-Flavor")).header("Vary", "X-Flavor");
  });
  start(kCacheAll);
  for (const bool hit : {false, true}) {
    for (const char* flavor : {"sweet", "sour"}) {
      const Response response = get("/a", {{"X-Flavor", flavor}});
      EXPECT_EQ(cache_status(response).hit, hit) << flavor;
      EXPECT_EQ(response.body, flavor);
    }
    EXPECT_EQ(get("/a").body, "");
  }
  EXPECT_EQ(origin_.hits("/a"), 3);
}

TEST_F(Vary, AVariantMissSaysSo) {
  // RFC 9211: vary-miss, once the URL is known.
  origin_.on("/a", cacheable("x").header("Vary", "X-Flavor"));
  start(kCacheAll);
  EXPECT_EQ(status_of("/a", {{"X-Flavor", "1"}}).fwd, "uri-miss");
  EXPECT_EQ(status_of("/a", {{"X-Flavor", "2"}}).fwd, "vary-miss");
}

TEST_F(Vary, AnAppMayChangeItsMind) {
  // A later answer with another Vary does not make the earlier ones wrong.
  std::atomic<int> calls = 0;
  origin_.on("/a", [&calls](const Request& request) {
    Reply reply = cacheable(request.fields.joined("X-A") + request.fields.joined("X-B"));
    return reply.header("Vary", ++calls == 1 ? "X-A" : "X-A, X-B");
  });
  start(kCacheAll);
  EXPECT_EQ(get("/a", {{"X-A", "1"}}).body, "1");
  EXPECT_EQ(get("/a", {{"X-A", "2"}, {"X-B", "b"}}).body, "2b");
  EXPECT_EQ(get("/a", {{"X-A", "2"}, {"X-B", "c"}}).body, "2c");
  EXPECT_EQ(get("/a", {{"X-A", "2"}, {"X-B", "b"}}).body, "2b");
}

TEST_F(Vary, CorsImpliesOrigin) {
  // An Access-Control-Allow-Origin other than * depends on Origin, said or not.
  origin_.on("/a", [](const Request& request) {
    return cacheable("x").header("Access-Control-Allow-Origin", request.fields.joined("Origin"));
  });
  start(kCacheAll);
  for (const char* site : {"https://one.test", "https://two.test", "https://one.test"})
    EXPECT_EQ(get("/a", {{"Origin", site}}).value("Access-Control-Allow-Origin"), site);
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(Vary, VariantsAreBounded) {
  // Past max_variants the least recently used one goes.
  origin_.on("/a", [](const Request& request) {
    return cacheable(request.fields.joined("X-Flavor")).header("Vary", "X-Flavor");
  });
  start("routes: [ { match: /**, cache: { duration: 60, max_variants: 2 } } ]\n");
  get("/a", {{"X-Flavor", "1"}});
  get("/a", {{"X-Flavor", "2"}});
  get("/a", {{"X-Flavor", "3"}});
  EXPECT_TRUE(is_hit("/a", {{"X-Flavor", "3"}}));
  EXPECT_FALSE(is_hit("/a", {{"X-Flavor", "1"}})) << "the oldest has gone";
}

TEST_F(Vary, ManyVariantsKeepMemoryFlat) {
  // An attacker's thousand values cost no more than max_variants answers.
  origin_.on("/a", cacheable(std::string(50'000, 'x')).header("Vary", "X-Flavor"));
  start("backends: { ram: { type: ram, max_size: 512MiB } }\naccess_log: off\n" +
        std::string(kCacheAll));
  const long before = weir().figures().rss_kib;
  Client one = client();
  for (int i = 0; i < 1000; ++i) one.get("/a", {{"X-Flavor", std::to_string(i)}});
  EXPECT_LT(weir().figures().rss_kib - before, kSanitized ? 400'000 : 16'000);
}

}  // namespace
}  // namespace weir::test
