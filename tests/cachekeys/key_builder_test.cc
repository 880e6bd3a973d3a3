#include "cachekeys/key_builder.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/cachekeys/request.h"

namespace weir::keys {
namespace {

TEST(BaseKey, HasTheDocumentedLayout) {
  // Byte for byte what docs/KEYS.md says.
  const Recipe recipe = recipe_of({.headers = {"X-T"}, .cookies = {{"c"}, {}, {}}});
  std::string expected("\x01", 1);
  for (int i = 0; i < 8; ++i) expected += static_cast<char>(recipe.fingerprint >> (8 * i));
  for (const char* field :
       {"\4http", "\6a.test", "\2/p", "\7a=1&b=2", "\2de", "\3x-t", "\1v", "\6accept",
        ("\x10"
         "application/json"),
        "\3rsc",
        ("\1"
         "1")}) {
    expected += field;
  }
  expected += std::string("\0", 1) + "\1c" + "\1x";
  EXPECT_EQ(key_of(get("/p?b=2&a=1",
                       "X-T: v\nAccept: application/json\nRSC: 1\nCookie: c=x\n"
                       "Accept-Language: de"),
                   recipe),
            expected);
}

TEST(BaseKey, IsSharedByRequestsThatDifferInNothingKeyed) {
  // Each pair is one page: method, unkeyed fields, tracking, order and spelling do not matter.
  const Recipe recipe = recipe_of({});
  const std::string long_value(500, 'x');
  const std::pair<std::string, std::string> pairs[] = {
      {get("/p"), "HEAD /p HTTP/1.1\nHost: a.test"},
      {get("/p"), "GET /p HTTP/1.1\nHost: A.TEST:80"},
      {get("/p"), "GET /p HTTP/1.1\nHost: a.test:"},
      {get("/p?"), get("/p?&&")},
      {get("/p/%2Etxt"), get("/p/.txt")},
      {get("/p"), get("/p?utm_source=" + long_value)},
      {get("/p~"), get("/p%7E")},
      {get("/p"), get("/p", "User-Agent: x\nX-Custom: y\nReferer: z\nRange: bytes=0-1")},
      {get("/p"), get("/p", "Accept: */*")},
      {get("/p.css"), get("/p.css", "Accept: text/html")},
      {get("/p", "Accept: text/html"), get("/p", "Accept: application/xhtml+xml, */*;q=0.1")},
      {get("/p"), get("/p", "Cookie: _ga=1")},
      {get("/p", "HX-Request: true\nHX-Target: x"), get("/p", "hx-target: x\nhx-request: true")},
      {get("/p"), get("/p", "Connection: HX-Request\nHX-Request: true")},
  };
  for (const auto& [a, b] : pairs) EXPECT_EQ(key_of(a, recipe), key_of(b, recipe)) << b;
}

// No two of these may share a response.
std::vector<std::string> requests_that_differ() {
  const std::string long_value(300, 'x');
  return {
      get("/p"),
      get("/P"),
      get("/p/"),
      get("//p"),
      get("/p%2F"),
      get("/p%2f"),
      get("/p%00"),
      get("/p?a"),
      get("/p?a="),
      get("/p?a=1&a=2"),
      get("/p?a=2&a=1"),
      get("/p?"),
      get("/p?&="),
      get("/p?%26"),
      get("/p/./x"),
      get("/p/%2e/x"),
      get("/p/%2E/x"),
      get("/p/../x"),
      get("/p/.%2e/x"),
      get("/p/%2e%2e/x"),
      get("/p/%2e%2e"),
      get("/p/%2e%2e;a/x"),
      get("/p/..;a/x"),
      get("/p/.../x"),
      get("/p%3Fa"),
      get("/p?a=" + long_value),
      get("/p?a=" + long_value + "x"),
      get("/%p%%37"),
      get("/%p%7"),
      get("/p", "X-T:"),
      get("/p", "X-T: a"),
      get("/p", "X-T: a\nX-T: b"),
      get("/p", "X-T: b\nX-T: a"),
      get("/p", "X-T: a, b"),
      get("/p", "Cookie: c="),
      get("/p", "Cookie: c=1"),
      get("/p", "Cookie: c=1; c=2"),
      get("/p", "Cookie: c=1c=2"),
      get("/p", "Accept-Language: de"),
      get("/p", "Accept-Language: de, en"),
      get("/p", "Accept: text/html"),
      get("/p", "Accept: image/avif,image/*"),
      get("/p", "Accept: image/*"),
      get("/p", "Accept: application/json"),
      get("/p", "Accept: application/xml"),
      get("/p", "HX-Request: true"),
      get("/p", "HX-Boosted: true"),
      get("/p", "HX-Target: true"),
      get("/p", "Turbo-Frame: a"),
      get("/p", "X-PJAX: true"),
      get("/p", "X-Inertia: true"),
      get("/p", "X-Inertia-Version: true"),
      get("/p", "X-Requested-With: XMLHttpRequest"),
      get("/p", "RSC: 1"),
      get("/p", "RSC: 1\nNext-Router-Prefetch: 1"),
      get("/p", "RSC:"),
      "GET /p HTTP/1.1\nHost: b.test",
      "GET /p HTTP/1.1\nHost: a.test:8080",
      "GET /p HTTP/1.1\nHost: a.test:443",
  };
}

TEST(BaseKey, TellsRequestsApartThatDifferInAnythingKeyed) {
  const Recipe recipe = recipe_of({.headers = {"X-T"}, .cookies = {{"c"}, {}, {}}});
  std::set<std::string> keys;
  for (const std::string& request : requests_that_differ()) {
    EXPECT_TRUE(keys.insert(key_of(request, recipe)).second) << request;
  }
  EXPECT_TRUE(keys.insert(key_of(get("/p"), recipe, "https")).second);
  EXPECT_TRUE(keys.insert(key_of(get("/p"), recipe_of({}), "http")).second);
}

TEST(BaseKey, KeepsASignedUrlToTheByte) {
  // A signature may cover the path's spelling, so the key keeps it.
  const Recipe recipe = recipe_of({});
  EXPECT_NE(key_of(get("/p%7E?sig=1"), recipe), key_of(get("/p~?sig=1"), recipe));
  EXPECT_EQ(shared_of(get("/p%7E?sig=1&utm_source=x"), recipe).target, "/p%7E?sig=1&utm_source=x");
}

TEST(BaseKey, LeavesTheHostOutWhereTheRuleSaysSo) {
  // With `hostname: false` all Hosts share, and the app sees one fixed Host.
  const Recipe recipe = recipe_of({.hostname = false});
  const std::string other = "GET /p HTTP/1.1\nHost: b.test";
  EXPECT_EQ(key_of(get("/p"), recipe), key_of(other, recipe));
  EXPECT_EQ(shared_of(other, recipe).host, "fixed.test");
}

TEST(BaseKey, KnowsTheDefaultPortOfItsScheme) {
  // Only the scheme's own default port is no part of the authority.
  const Recipe recipe = recipe_of({});
  const auto with_host = [](std::string host) { return "GET / HTTP/1.1\nHost: " + host; };
  EXPECT_EQ(key_of(with_host("a:443"), recipe, "https"), key_of(with_host("a"), recipe, "https"));
  EXPECT_NE(key_of(with_host("a:80"), recipe, "https"), key_of(with_host("a"), recipe, "https"));
  EXPECT_EQ(key_of(with_host("[::1]:80"), recipe), key_of(with_host("[::1]"), recipe));
  EXPECT_NE(key_of(with_host("[::80]"), recipe), key_of(with_host("[:]"), recipe));
}

TEST(BaseKey, HoldsKeyedEncodingAndLanguageAsTheyAreSent) {
  // `headers: [Accept-Encoding]` keys the normal form, `[Accept-Language]` the client's words.
  const Recipe recipe = recipe_of({.headers = {"Accept-Encoding", "Accept-Language"}});
  const std::string a = get("/", "Accept-Encoding: gzip, br\nAccept-Language: de;q=0.7");
  const std::string b = get("/", "Accept-Encoding: br;q=1, gzip\nAccept-Language: de;q=0.7");
  const std::string c = get("/", "Accept-Encoding: gzip\nAccept-Language: de;q=0.7");
  const std::string d = get("/", "Accept-Encoding: gzip\nAccept-Language: de;q=0.8");
  EXPECT_EQ(key_of(a, recipe), key_of(b, recipe));
  EXPECT_NE(key_of(a, recipe), key_of(c, recipe));
  EXPECT_NE(key_of(c, recipe), key_of(d, recipe));
  EXPECT_EQ(sent_field(shared_of(c, recipe), "accept-language"), "de;q=0.7");
  EXPECT_EQ(key_of(get("/"), recipe), key_of(get("/", "Accept-Encoding: identity"), recipe));
}

TEST(KeyBuffer, PrefixesFieldsOfAnyLength) {
  // A field written in place has the same bytes as one appended whole, whatever its length.
  for (const std::size_t size : {0U, 1U, 127U, 128U, 129U, 16383U, 16384U, 70000U}) {
    const std::string field(size, 'x');
    KeyBuffer whole;
    whole.append("before");
    whole.append(field);
    whole.append("after");
    KeyBuffer in_place;
    in_place.append("before");
    const std::size_t at = in_place.open_field();
    in_place.raw().append(field);
    in_place.close_field(at);
    in_place.append("after");
    EXPECT_EQ(whole.raw(), in_place.raw()) << size;
  }
}

}  // namespace
}  // namespace weir::keys
