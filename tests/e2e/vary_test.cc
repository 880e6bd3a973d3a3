// Vary: one URL, several answers.
#include <atomic>
#include <vector>

#include "tests/e2e/fixture.h"
#include "tests/support/gate.h"

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

// Each of these clients asks for /a; the answers are told apart by what they must see.
struct Asker {
  const char* what;
  Fields fields;
  std::string allowed;   // Access-Control-Allow-Origin
  std::string encoding;  // Content-Encoding
};
const Asker kPlain = {"plain", {}, "", ""};
const Asker kBrowser = {"browser", {{"Accept-Encoding", "gzip, br"}}, "", "gzip"};
const Asker kOne = {"one", {{"Origin", "https://one.test"}}, "https://one.test", ""};
const Asker kTwo = {"two", {{"Origin", "https://two.test"}}, "https://two.test", ""};
const Asker kForeign = {"foreign", {{"Origin", "https://foreign.example"}}, "", ""};
const Asker kOneBrowser = {"one's browser",
                           {{"Origin", "https://one.test"}, {"Accept-Encoding", "gzip"}},
                           "https://one.test",
                           "gzip"};

// An app that names in Vary only what the request had and the answer depends on.
Reply sparing_app(const Request& request, bool always_names_encoding) {
  const std::string origin = request.fields.joined("Origin");
  const bool gzip = request.fields.joined("Accept-Encoding").find("gzip") != std::string::npos;
  Reply reply = cacheable("x");
  if (origin.ends_with(".test")) {
    reply.header("Access-Control-Allow-Origin", origin).header("Vary", "Origin");
  }
  if (gzip) reply.header("Content-Encoding", "gzip");
  if (gzip || always_names_encoding) reply.header("Vary", "Accept-Encoding");
  return reply;
}

TEST_F(Vary, LeftOutByTheAnswersThatNeedNoneHarmsNobody) {
  // CORS middleware and compressing servers: whoever comes first, each gets what is for him, and
  // after each has asked a few times the app is not asked any more.
  const std::vector<Asker> orders[] = {
      {kPlain, kOne, kTwo, kBrowser, kForeign, kOneBrowser},
      {kForeign, kBrowser, kOne, kPlain, kTwo, kOneBrowser},
      {kOneBrowser, kForeign, kPlain, kTwo, kBrowser, kOne},
      {kBrowser, kPlain, kBrowser, kPlain},
      {kPlain, kOne, kPlain, kOne},
  };
  for (const bool always_names_encoding : {false, true}) {
    origin_.otherwise([always_names_encoding](const Request& request) {
      return sparing_app(request, always_names_encoding);
    });
    start(kCacheAll);
    int url = 0;
    for (const std::vector<Asker>& order : orders) {
      const std::string path = "/" + std::to_string(++url);
      for (int round = 0; round < 5; ++round) {
        for (const Asker& asker : order) {
          SCOPED_TRACE(path + " " + asker.what + " in round " + std::to_string(round));
          const Response response = get(path, asker.fields);
          EXPECT_EQ(response.value("Access-Control-Allow-Origin"), asker.allowed);
          EXPECT_EQ(response.value("Content-Encoding"), asker.encoding);
          EXPECT_TRUE(round < 4 || cache_status(response).hit) << response.value("Cache-Status");
        }
      }
    }
  }
}

TEST_F(Vary, AnAnswerWithoutItServesThoseWhoShowNoMore) {
  // Fetched with Origin and Accept-Encoding it is for all; without, for those without; one that is
  // for every origin says so.
  origin_.otherwise([](const Request&) { return cacheable("x"); });
  origin_.on("/star", cacheable("x").header("Access-Control-Allow-Origin", "*"));
  start(kCacheAll);
  get("/a", kOneBrowser.fields);
  for (const Asker& asker : {kOneBrowser, kOne, kBrowser, kPlain}) {
    EXPECT_TRUE(is_hit("/a", asker.fields)) << asker.what;
  }
  get("/b", kPlain.fields);
  EXPECT_EQ(status_of("/b", kBrowser.fields).fwd, "vary-miss");
  EXPECT_TRUE(is_hit("/b", kBrowser.fields));
  EXPECT_TRUE(is_hit("/b", kPlain.fields));
  EXPECT_TRUE(is_hit("/b", {{"Accept-Encoding", "identity"}}));
  EXPECT_EQ(origin_.hits("/b"), 2);
  get("/star", kPlain.fields);
  EXPECT_TRUE(is_hit("/star", kOne.fields));
  EXPECT_TRUE(is_hit("/star", kTwo.fields));
}

TEST_F(Vary, ThoseWhoShowMoreThanTheOneTheyWaitForFetchOnceMore) {
  // A plain visit leads and twenty pages of another site follow: its answer has nothing for them,
  // and one of them asks for all.
  const Gate first;
  std::atomic<int> calls = 0;
  origin_.on("/a", [&](const Request& request) {
    Reply reply = sparing_app(request, false);
    return ++calls == 1 ? reply.gate_head(first) : reply;
  });
  start(kCacheAll);
  Client plain = client();
  plain.send(Client::message("GET", "/a", {}));
  first.await_arrivals(1);
  std::vector<Client> all;
  for (int i = 0; i < 20; ++i) all.push_back(client());
  for (Client& one : all) one.send(Client::message("GET", "/a", kOne.fields));
  await_all_taken();
  first.open();
  EXPECT_EQ(plain.read().value("Access-Control-Allow-Origin"), "");
  for (Client& one : all) {
    const Response response = one.read();
    EXPECT_TRUE(response.complete);
    EXPECT_EQ(response.value("Access-Control-Allow-Origin"), kOne.allowed);
  }
  EXPECT_LE(origin_.hits("/a"), 3);
}

TEST_F(Vary, NobodyCanKeepOthersMissing) {
  // A client who shows less than others, or an Origin that is taken back on the way, does not take
  // the place of what they use.
  origin_.otherwise([](const Request&) { return cacheable("x"); });
  start(kCacheAll);
  const Fields odd[] = {{{"Origin", "https://odd.example"}},
                        {{"Origin", "https://one.test"}, {"Connection", "Origin"}},
                        {}};
  for (int i = 0; i < 20; ++i) {
    for (const Fields& fields : odd) get("/a", fields);
    get("/a", kBrowser.fields);
    get("/a", kOneBrowser.fields);
  }
  EXPECT_LE(origin_.hits("/a"), 12);
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
  EXPECT_LT(weir().figures().rss_kib - before, is_sanitized() ? 400'000 : 16'000);
}

}  // namespace
}  // namespace weir::test
