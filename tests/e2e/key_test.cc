// What names a stored answer, and that the app sees of a request no more than that.
#include <cctype>

#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// A list field without the spaces that make no difference.
std::string squeezed(std::string list) {
  std::erase(list, ' ');
  return list;
}

// Field names compare without case.
std::string vary_of(const Response& response) {
  std::string names = response.fields.joined("Vary");
  for (char& c : names) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return names;
}

class Key : public E2e {
 protected:
  void start_with(const std::string& cache) {
    start("routes: [ { match: /**, cache: { duration: 60, " + cache + " } } ]\n");
  }
  void answer_with_target() {
    origin_.otherwise([](const Request& request) { return cacheable(request.target); });
  }
  bool is_hit(std::string_view target, const Fields& fields = {}) {
    return status_of(target, fields).hit;
  }
};

TEST_F(Key, QueriesAreSortedInTheKeyAndNotForTheApp) {
  // The order of names does not matter; the app is sent them as they came; equal names keep theirs.
  answer_with_target();
  start(kCacheAll);
  EXPECT_EQ(get("/q?b=2&a=1").body, "/q?b=2&a=1");
  EXPECT_TRUE(is_hit("/q?a=1&b=2"));
  EXPECT_EQ(get("/q?a=2&a=1").body, "/q?a=2&a=1");
  EXPECT_FALSE(is_hit("/q?a=1&a=2"));
  EXPECT_FALSE(is_hit("/q?a"));
  EXPECT_FALSE(is_hit("/q?a="));
  EXPECT_FALSE(is_hit("/q"));
}

TEST_F(Key, TrackingParametersAreLeftOut) {
  // utm_*, gclid and the like neither split the cache nor reach the app.
  answer_with_target();
  start(kCacheAll);
  EXPECT_EQ(get("/q?utm_source=x&b=2&gclid=1&a=1&fbclid=z").body, "/q?b=2&a=1");
  EXPECT_TRUE(is_hit("/q?a=1&b=2&utm_medium=mail"));
  EXPECT_EQ(get("/only?utm_source=x").body, "/only");
  EXPECT_TRUE(is_hit("/only"));
}

TEST_F(Key, SignedUrlsKeepEverything) {
  // What a signature covers must arrive.
  answer_with_target();
  start(kCacheAll);
  for (const char* target :
       {"/s?b=1&utm_source=x&signature=abc", "/s?utm_source=x&X-Amz-Signature=1"})
    EXPECT_EQ(get(target).body, target);
}

TEST_F(Key, QueryParamsFalse) {
  // No parameter in the key, none for the app.
  answer_with_target();
  start_with("query_params: false");
  EXPECT_EQ(get("/q?a=1").body, "/q");
  EXPECT_TRUE(is_hit("/q?b=2"));
}

TEST_F(Key, QueryParamsList) {
  // Only the listed ones, in the key and for the app.
  answer_with_target();
  start_with("query_params: [page]");
  EXPECT_EQ(get("/q?x=1&page=2&y=3").body, "/q?page=2");
  EXPECT_TRUE(is_hit("/q?page=2&z=1"));
  EXPECT_FALSE(is_hit("/q?page=3"));
}

TEST_F(Key, QueryParamsIgnore) {
  // All but the ignored ones; tracking parameters kept where the rule says so.
  answer_with_target();
  start_with("query_params: { ignore: [x, \"y_*\"], tracking: keep }");
  EXPECT_EQ(get("/q?x=1&a=1&y_z=2&utm_source=u").body, "/q?a=1&utm_source=u");
  EXPECT_TRUE(is_hit("/q?utm_source=u&a=1&x=9"));
  EXPECT_FALSE(is_hit("/q?a=1&utm_source=v"));
}

TEST_F(Key, RemovedParametersComeBackOnRedirects) {
  // A same-origin redirect that lacks what was removed gets it back; others are left alone.
  const auto to = [](const char* location) {
    return Reply(302).header("Location", location).body("");
  };
  origin_.on("/path", to("/next"));
  origin_.on("/query", to("/next?a=1"));
  origin_.on("/full", to("http://app.test/next"));
  origin_.on("/away", to("http://other.test/next"));
  start(kCacheAll);
  EXPECT_EQ(get("/path?utm_source=x").value("Location"), "/next?utm_source=x");
  EXPECT_EQ(get("/query?utm_source=x").value("Location"), "/next?a=1&utm_source=x");
  EXPECT_EQ(get("/full?utm_source=x").value("Location"), "http://app.test/next?utm_source=x");
  EXPECT_EQ(get("/away?utm_source=x").value("Location"), "http://other.test/next");
}

TEST_F(Key, LanguageTrueKeepsTheBestTwo) {
  // The client's best language and the next of another primary language; weights dropped.
  origin_.on("/a", [](const Request& request) {
    return cacheable("[" + squeezed(request.fields.joined("Accept-Language")) + "]");
  });
  start(kCacheAll);
  const Response first = get("/a", {{"Accept-Language", "en-US,en;q=0.9,it;q=0.8,fr;q=0.1"}});
  EXPECT_EQ(first.body, "[en-us,it]");
  EXPECT_THAT(vary_of(first), HasSubstr("accept-language"));
  EXPECT_TRUE(is_hit("/a", {{"Accept-Language", "en-US, it;q=0.5, de;q=0.2"}}));
  EXPECT_FALSE(is_hit("/a", {{"Accept-Language", "de"}}));
  EXPECT_FALSE(is_hit("/a"));
}

TEST_F(Key, LanguageListIsNegotiated) {
  // One of the list by RFC 4647 lookup, the first as fallback; that is what the app is sent.
  origin_.on("/a", [](const Request& request) {
    return cacheable(request.fields.joined("Accept-Language"));
  });
  start_with("language: [en, it]");
  EXPECT_EQ(get("/a", {{"Accept-Language", "fr, it-IT;q=0.8, en;q=0.3"}}).body, "it");
  EXPECT_TRUE(is_hit("/a", {{"Accept-Language", "it"}}));
  EXPECT_EQ(get("/a", {{"Accept-Language", "ja"}}).body, "en");
  EXPECT_TRUE(is_hit("/a"));
  EXPECT_THAT(vary_of(get("/a")), HasSubstr("accept-language"));
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(Key, LanguageFalse) {
  // Not in the key, not sent, not in Vary.
  origin_.on("/a", [](const Request& request) {
    return cacheable("[" + request.fields.joined("Accept-Language") + "]");
  });
  start_with("language: false");
  const Response response = get("/a", {{"Accept-Language", "it"}});
  EXPECT_EQ(response.body, "[]");
  EXPECT_THAT(vary_of(response), Not(HasSubstr("accept-language")));
  EXPECT_TRUE(is_hit("/a", {{"Accept-Language", "en"}}));
}

TEST_F(Key, HostnameTrueSeparatesHosts) {
  // The default: each Host has its own answers; case and the default port make no difference.
  origin_.on("/a", [](const Request& request) { return cacheable(request.fields.joined("Host")); });
  start(kCacheAll);
  EXPECT_EQ(get("/a", {{"Host", "one.test"}}).body, "one.test");
  EXPECT_EQ(get("/a", {{"Host", "two.test"}}).body, "two.test");
  EXPECT_TRUE(is_hit("/a", {{"Host", "ONE.test"}}));
}

TEST_F(Key, HostnameFalseSendsOneFixedHost) {
  // Any Host shares, so none reaches the app: neither in Host nor in X-Forwarded-Host.
  origin_.on("/a", [](const Request& request) {
    return cacheable(request.fields.joined("Host") + " " +
                     request.fields.joined("X-Forwarded-Host") + " " +
                     request.fields.joined("Forwarded"));
  });
  start_with("hostname: false");
  const Response response = get("/a", {{"Host", "evil.test"}});
  EXPECT_THAT(response.body, Not(HasSubstr("evil")));
  EXPECT_THAT(response.body, testing::StartsWith("127.0.0.1:" + std::to_string(origin_.port())));
  EXPECT_TRUE(is_hit("/a", {{"Host", "good.test"}}));
}

TEST_F(Key, HeadersInTheKey) {
  // Named ones split the cache, reach the app and stand in Vary.
  origin_.on("/a",
             [](const Request& request) { return cacheable(request.fields.joined("X-Tenant")); });
  start_with("headers: [X-Tenant]");
  EXPECT_EQ(get("/a", {{"X-Tenant", "one"}}).body, "one");
  const Response two = get("/a", {{"X-Tenant", "two"}});
  EXPECT_EQ(two.body, "two");
  EXPECT_THAT(vary_of(two), HasSubstr("x-tenant"));
  EXPECT_TRUE(is_hit("/a", {{"X-Tenant", "one"}}));
}

TEST_F(Key, FragmentHeadersAreAlwaysInTheKey) {
  // Frameworks forget to Vary on them: a fragment is never served as a page, nor the other way.
  origin_.otherwise([](const Request&) { return cacheable("x"); });
  start(kCacheAll);
  get("/a");
  for (const char* name :
       {"HX-Request", "HX-Boosted", "HX-Target", "Turbo-Frame", "X-PJAX", "X-Inertia",
        "X-Inertia-Version", "X-Requested-With", "RSC", "Next-Router-State-Tree"}) {
    EXPECT_FALSE(is_hit("/a", {{name, "1"}})) << name;
    EXPECT_TRUE(is_hit("/a", {{name, "1"}})) << name;
    EXPECT_EQ(origin_.last("/a").fields.value(name), "1") << name;
  }
}

TEST_F(Key, AcceptIsInTheKeyByItsKind) {
  // A page, an image, anything and JSON are four answers; no Accept is anything.
  origin_.on("/a", cacheable("x"));
  start(kCacheAll);
  get("/a", {{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"}});
  EXPECT_TRUE(is_hit("/a", {{"Accept", "text/html"}}));
  EXPECT_FALSE(is_hit("/a", {{"Accept", "*/*"}}));
  EXPECT_FALSE(is_hit("/a", {{"Accept", "image/avif,image/webp"}}));
  EXPECT_TRUE(is_hit("/a", {{"Accept", "image/webp,image/avif,*/*;q=0.5"}}));
  EXPECT_TRUE(is_hit("/a"));
  EXPECT_FALSE(is_hit("/a", {{"Accept", "application/json"}}));
  EXPECT_TRUE(is_hit("/a", {{"Accept", "application/json;q=1.0, text/plain;q=0.1"}}));
}

TEST_F(Key, SealedRoutesShowTheAppOnlyTheKey) {
  // sealed: a header that is not in the key does not reach the app.
  origin_.on("/a", cacheable("x"));
  start_with("sealed: true, headers: [X-Tenant]");
  get("/a", {{"X-Hidden-Input", "1"}, {"X-Tenant", "t"}, {"Referer", "http://x/"}});
  const Request sent = origin_.last("/a");
  EXPECT_FALSE(sent.fields.has("X-Hidden-Input"));
  EXPECT_FALSE(sent.fields.has("Referer"));
  EXPECT_EQ(sent.fields.value("X-Tenant"), "t");
  EXPECT_EQ(sent.fields.value("Host"), "app.test");
}

TEST_F(Key, ClientConditionalsAndRangesDoNotReachTheApp) {
  // A full answer is fetched, whatever the first client asked for.
  origin_.on("/a", cacheable("hello"));
  start(kCacheAll);
  get("/a", {{"If-None-Match", "\"x\""},
             {"If-Modified-Since", "Sat, 01 Jan 2000 00:00:00 GMT"},
             {"Cache-Control", "no-cache"},
             {"Pragma", "no-cache"}});
  const Request sent = origin_.last("/a");
  for (const char* name : {"If-None-Match", "If-Modified-Since", "Cache-Control", "Pragma"})
    EXPECT_FALSE(sent.fields.has(name)) << name;
  EXPECT_EQ(get("/a").body, "hello");
  EXPECT_EQ(origin_.hits("/a"), 1);
}

TEST_F(Key, NoClientCanPoisonAnAnswer) {
  // Whatever an unkeyed header says, the app does not see it on a cached route, so what is stored
  // cannot depend on it.
  origin_.on("/a", [](const Request& request) {
    std::string all;
    for (const Field& field : request.fields) all += field.name + ": " + field.value + "\n";
    return cacheable(request.target + "\n" + all);
  });
  start(std::string(kCacheAll) + "trusted_proxies: []\n");
  int n = 0;
  for (const char* name :
       {"X-Forwarded-Host", "X-Forwarded-Scheme", "X-Forwarded-Proto", "X-Forwarded-Prefix",
        "X-Forwarded-Port", "X-Forwarded-Server", "X-Original-URL", "X-Rewrite-URL", "X-Host",
        "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "Forwarded"}) {
    const std::string target = "/a?n=" + std::to_string(n++);
    EXPECT_THAT(get(target, {{name, "evil.test"}}).body, Not(HasSubstr("evil.test"))) << name;
    EXPECT_TRUE(is_hit(target)) << name;
  }
}

TEST_F(Key, PoisoningHeadersPassOnPost) {
  // Only answers that may be shared need the protection: a POST keeps its method override.
  origin_.on("/a", cacheable("x"));
  start(kCacheAll);
  client().request("POST", "/a", {{"X-HTTP-Method-Override", "PUT"}}, "x");
  EXPECT_EQ(origin_.last("/a").fields.value("X-HTTP-Method-Override"), "PUT");
}

TEST_F(Key, TheSchemeIsInTheKey) {
  // Behind a trusted TLS terminator http and https are two answers.
  origin_.on("/a", [](const Request& request) {
    return cacheable(request.fields.joined("X-Forwarded-Proto"));
  });
  start(kCacheAll);
  EXPECT_EQ(get("/a").body, "http");
  EXPECT_EQ(get("/a", {{"X-Forwarded-Proto", "https"}}).body, "https");
  EXPECT_TRUE(is_hit("/a", {{"X-Forwarded-Proto", "https"}}));
}

TEST_F(Key, DotSegmentsAndAnEmptyQueryReachTheAppAsTheyCame) {
  // What is sent is what is keyed: each of these is a page of its own.
  answer_with_target();
  start(kCacheAll);
  for (const char* target :
       {"/a/%2e%2e/b", "/a/%2E%2e/b", "/a/.%2e/b", "/a/../b", "/a/%2e/b", "/a/b", "/p", "/p?"}) {
    const Response first = get(target);
    EXPECT_FALSE(cache_status(first).hit) << target;
    EXPECT_EQ(first.body, target);
    const Response second = get(target);
    EXPECT_TRUE(cache_status(second).hit) << target;
    EXPECT_EQ(second.body, target);
  }
  EXPECT_TRUE(is_hit("/p?utm_source=x")) << "what is left of it is no empty query";
}

TEST_F(Key, NoTwoRequestsSpellOneKey) {
  // Parts of a key are delimited: moving bytes between them never collides.
  answer_with_target();
  start_with("headers: [X-A, X-B], cookies: [c]");
  const std::vector<std::pair<std::string, Fields>> requests = {
      {"/k", {}},
      {"/k?x", {}},
      {"/k%3Fx", {}},
      {"/k?x=1&y=2", {}},
      {"/k?x=1%26y=2", {}},
      {"/k", {{"X-A", "1"}}},
      {"/k", {{"X-B", "1"}}},
      {"/k", {{"X-A", "1"}, {"X-B", "1"}}},
      {"/k", {{"X-A", "1X-B1"}}},
      {"/k", {{"Cookie", "c=1"}}},
      {"/k/", {}},
      {"/K", {}},
      {"//k", {}},
      {"/k;x", {}}};
  for (const auto& [target, fields] : requests) {
    const Response response = get(target, fields);
    EXPECT_FALSE(cache_status(response).hit) << target;
    EXPECT_EQ(response.body, target);
  }
}

}  // namespace
}  // namespace weir::test
