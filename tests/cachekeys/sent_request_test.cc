#include "cachekeys/sent_request.h"

#include <gtest/gtest.h>

#include "tests/cachekeys/request.h"

namespace weir::keys {
namespace {

// One field of each kind that the rules below speak of.
constexpr const char* kEverything =
    "Accept-Language: de-CH, de;q=0.9, en;q=0.8\nAccept-Encoding: gzip, deflate, br\n"
    "User-Agent: ua\nX-Custom: c\nX_Custom: u\nX-Forwarded-Prefix: /x\nX_Original_URL: /y\n"
    "X-HTTP-Method-Override: DELETE\nX-Forwarded-For: 1.2.3.4\nX-Forwarded-Proto: https\n"
    "X-Forwarded-Host: evil\nForwarded: for=x\nVia: 1.1 y\nIf-None-Match: \"e\"\n"
    "If-Modified-Since: x\nIf-Range: x\nRange: bytes=0-1\nCache-Control: no-cache\n"
    "Pragma: no-cache\nConnection: keep-alive, X-Hop\nX-Hop: h\nTE: trailers\nUpgrade: h2c\n"
    "Expect: 100-continue\nContent-Length: 0\nOrigin: http://o\nHX-Request: true\n"
    "Cookie: _ga=1; theme=dark; cart=2\n";

std::string listing(const SentRequest& sent) {
  std::string text;
  sent.fields.for_each([&](const http::FieldView& field) {
    text.append(field.name).append(": ").append(field.value).append("\n");
  });
  return text;
}

Recipe shop() {
  return recipe_of({.cookies = {{"theme"}, {}, conf::CookieRule::Other::Ignore}});
}

TEST(SharedRequest, HoldsWhatTheKeyHoldsAndHarmlessRest) {
  // What could change the answer without being in the key does not reach the app.
  const SentRequest sent = shared_of(get("/p?b=1&utm_source=x&a=2", kEverything), shop());
  EXPECT_EQ(sent.target, "/p?b=1&a=2");
  EXPECT_EQ(sent.host, "a.test");
  EXPECT_EQ(sent.removed_query, "utm_source=x");
  EXPECT_EQ(sent.removed_cookies, (std::vector<std::string>{"_ga", "cart"}));
  EXPECT_EQ(listing(sent),
            "User-Agent: ua\nX-Custom: c\nOrigin: http://o\nHX-Request: true\n"
            "Accept: */*\nAccept-Encoding: br, gzip\nAccept-Language: de-ch, en\n"
            "Cookie: theme=dark\n");
}

TEST(SharedRequest, OnASealedRouteHoldsTheKeyOnly) {
  // `sealed` leaves keyed fields and the negotiated ones.
  const KeyRule rule{.headers = {"Origin"},
                     .cookies = {{"theme"}, {}, conf::CookieRule::Other::Ignore},
                     .sealed = true};
  EXPECT_EQ(listing(shared_of(get("/", kEverything), recipe_of(rule))),
            "Origin: http://o\nHX-Request: true\nAccept: */*\nAccept-Encoding: br, gzip\n"
            "Accept-Language: de-ch, en\nCookie: theme=dark\n");
}

TEST(SharedRequest, KeepsPoisoningFieldsThatTheRuleKeys) {
  // Who keys X-Forwarded-Prefix wants the app to see it.
  const Recipe recipe = recipe_of({.headers = {"X-Forwarded-Prefix", "X_Custom"}});
  const SentRequest sent = shared_of(get("/", kEverything), recipe);
  EXPECT_EQ(sent_field(sent, "x-forwarded-prefix"), "/x");
  EXPECT_EQ(sent_field(sent, "x_custom"), "u");
  EXPECT_EQ(sent_field(sent, "x_original_url"), "(absent)");
}

TEST(SharedRequest, SendsHostAndPathAsTheKeySpellsThem) {
  // Spellings that share a key look alike to the app.
  const SentRequest sent = shared_of("GET /%7Ea%2Fb HTTP/1.1\nHost: A.Test:80", recipe_of({}));
  EXPECT_EQ(sent.target, "/~a%2Fb");
  EXPECT_EQ(sent.host, "a.test");
}

TEST(SharedRequest, SendsDotSegmentsAndAnEmptyQueryAsTheyCame) {
  // Decoded, "%2e%2e" would be a step up; and a '?' goes only with the parameters behind it.
  using Mode = conf::QueryRule::Mode;
  const conf::QueryRule all;
  const conf::QueryRule none{.mode = Mode::None, .only = {}, .ignore = {}, .keep_tracking = false};
  const struct {
    const conf::QueryRule& rule;
    const char* target;
    const char* sent;
  } cases[] = {
      {all, "/a/%2e%2e/b", "/a/%2e%2e/b"},
      {all, "/a/.%2E/%2e/%7Eb", "/a/.%2E/%2e/~b"},
      {all, "/a/%2e%2E;x/b", "/a/%2e%2E;x/b"},
      {all, "/a/%2e%2e", "/a/%2e%2e"},
      {all, "/%2e", "/%2e"},
      {all, "/a/%2e%2e%2e/%2ehidden/b%2ecss", "/a/.../.hidden/b.css"},
      {all, "/a/../b", "/a/../b"},
      {all, "/p?", "/p?"},
      {all, "/p?&", "/p?"},
      {all, "/p", "/p"},
      {all, "/p?utm_source=x", "/p"},
      {all, "/p?&utm_source=x&", "/p"},
      {none, "/p?", "/p?"},
      {none, "/p?a=1", "/p"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(shared_of(get(c.target), recipe_of({.query_params = c.rule})).target, c.sent)
        << c.target;
  }
}

TEST(SharedRequest, SaysNoLanguageWhereTheRuleDoesNot) {
  // `language: false` removes Accept-Language, a list sends its choice even unasked.
  using Mode = conf::LanguageRule::Mode;
  const Recipe none = recipe_of({.language = {Mode::None, {}}});
  EXPECT_EQ(sent_field(shared_of(get("/", kEverything), none), "accept-language"), "(absent)");
  const Recipe list = recipe_of({.language = {Mode::List, {"en", "de"}}});
  EXPECT_EQ(sent_field(shared_of(get("/", kEverything), list), "accept-language"), "de");
  EXPECT_EQ(sent_field(shared_of(get("/"), list), "accept-language"), "en");
}

TEST(PersonalRequest, KeepsWhatIsPersonalAndNothingElse) {
  // Cookies, credentials, conditionals and Range stay; the poisoning fields do not get by.
  const TestRequest request(
      get("/p?utm_source=x&a=1", std::string(kEverything) + "Authorization: Basic x"));
  const SentRequest sent = personal_request(request.head, shop(), {.authority = "a.test"});
  EXPECT_EQ(sent.target, "/p?a=1");
  EXPECT_TRUE(sent.removed_cookies.empty());
  EXPECT_EQ(listing(sent),
            "User-Agent: ua\nX-Custom: c\nIf-None-Match: \"e\"\nIf-Modified-Since: x\nIf-Range: x\n"
            "Range: bytes=0-1\nOrigin: http://o\nHX-Request: true\n"
            "Cookie: _ga=1; theme=dark; cart=2\nAuthorization: Basic x\n"
            "Accept: */*\nAccept-Encoding: br, gzip\nAccept-Language: de-ch, en\n");
  const Recipe sealed = recipe_of({.sealed = true});
  const SentRequest few = personal_request(request.head, sealed, {.authority = "a.test"});
  EXPECT_EQ(sent_field(few, "authorization"), "Basic x");
  EXPECT_EQ(sent_field(few, "user-agent"), "(absent)");
}

TEST(VerbatimRequest, IsTheRequestAsItCame) {
  // A pass changes nothing but what belongs to the connection and what the caller writes.
  const TestRequest request("GET /%7E?b=1&utm_source=x& HTTP/1.1\nHost: A.Test:80\n" +
                            std::string(kEverything));
  const SentRequest sent = verbatim_request(request.head, {.authority = "A.Test:80"}, false);
  EXPECT_EQ(sent.target, "/%7E?b=1&utm_source=x&");
  EXPECT_EQ(sent.host, "A.Test:80");
  EXPECT_EQ(listing(sent),
            "Accept-Language: de-CH, de;q=0.9, en;q=0.8\nAccept-Encoding: gzip, deflate, br\n"
            "User-Agent: ua\nX-Custom: c\nX_Custom: u\nX_Original_URL: /y\n"
            "X-HTTP-Method-Override: DELETE\nIf-None-Match: \"e\"\nIf-Modified-Since: x\n"
            "If-Range: x\nRange: bytes=0-1\nCache-Control: no-cache\nPragma: no-cache\n"
            "Origin: http://o\nHX-Request: true\nCookie: _ga=1; theme=dark; cart=2\n");
}

TEST(VerbatimRequest, HoldsNoPoisoningFieldOnACachedRoute) {
  // GET and HEAD lose them there, other methods do not.
  for (const auto& [method, absent] : {std::pair{"GET", true}, {"HEAD", true}, {"POST", false}}) {
    const TestRequest request(std::string(method) + " / HTTP/1.1\n" + kEverything);
    const SentRequest sent = verbatim_request(request.head, {.authority = "a.test"}, true);
    EXPECT_EQ(sent_field(sent, "x-forwarded-prefix"), "(absent)") << method;
    EXPECT_EQ(sent_field(sent, "x_original_url"), absent ? "(absent)" : "/y") << method;
    EXPECT_EQ(sent_field(sent, "x-custom"), "c") << method;
  }
}

TEST(ResponseVary, NamesWhatTheRuleKeys) {
  // Caches downstream learn what the key holds beside the URL.
  using Mode = conf::LanguageRule::Mode;
  const KeyRule none{.language = {Mode::None, {}}};
  const KeyRule all{.headers = {"x-tenant", "origin"}, .cookies = {{"theme"}, {}, {}}};
  const struct {
    const KeyRule& rule;
    const char* vary;
    const char* expected;
  } cases[] = {
      {none, "", ""},
      {none, "Accept-Encoding", "Accept-Encoding"},
      {{}, "", "Accept-Language"},
      {{}, "accept-language, Cookie", "accept-language, Cookie"},
      {{}, "*", "*"},
      {all, "Accept-Encoding", "Accept-Encoding, Accept-Language, Origin, x-tenant, Cookie"},
      {all, "X-Tenant", "X-Tenant, Accept-Language, Origin, Cookie"},
  };
  for (const auto& c : cases) EXPECT_EQ(response_vary(c.vary, recipe_of(c.rule)), c.expected);
}

}  // namespace
}  // namespace weir::keys
