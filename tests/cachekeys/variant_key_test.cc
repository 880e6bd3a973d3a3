#include <gtest/gtest.h>

#include "tests/cachekeys/request.h"

namespace weir::keys {
namespace {

std::string variant(const std::string& text, const std::vector<std::string>& vary,
                    const Recipe& recipe) {
  const TestRequest request(text);
  KeyBuffer base;
  build_key(request.head, recipe, {.authority = request.head.authority}, base);
  KeyBuffer out;
  build_variant_key(base.view(), vary, request.head, recipe, request.head.authority, out);
  return std::string(out.view().bytes);
}

TEST(VariantKey, IsJudgedOnTheRequestAsItIsSent) {
  // Two requests are one variant exactly when the app saw the same lines.
  const Recipe plain = recipe_of({});
  const Recipe sealed = recipe_of({.sealed = true});
  const Recipe theme =
      recipe_of({.cookies = {{"theme"}, {"sid"}, conf::CookieRule::Other::Ignore}});
  const struct {
    const Recipe& recipe;
    const char* vary;
    const char* a;
    const char* b;
    bool same;
  } cases[] = {
      {plain, "accept-encoding", "Accept-Encoding: gzip, br", "Accept-Encoding: br,gzip;q=0.5",
       true},
      {plain, "accept-encoding", "Accept-Encoding: gzip", "Accept-Encoding: br", false},
      {plain, "accept-encoding", "", "Accept-Encoding: identity", true},
      {plain, "user-agent", "User-Agent: a", "User-Agent: b", false},
      {sealed, "user-agent", "User-Agent: a", "User-Agent: b", true},
      {plain, "x-custom", "X-Custom:", "", false},
      {plain, "x-custom", "X-Custom: a", "x-custom: a", true},
      {plain, "x-custom", "X-Custom: a\nX-Custom: b", "X-Custom: a, b", false},
      {plain, "x-custom", "X-Custom: a\nConnection: x-custom", "", true},
      {plain, "origin", "Origin: http://a", "Origin: http://b", false},
      {plain, "accept", "Accept: image/avif,*/*", "Accept: image/webp,*/*", false},
      {plain, "accept", "Accept: text/html, a/b;q=0.1", "Accept: text/html", true},
      {plain, "x-forwarded-prefix", "X-Forwarded-Prefix: /x", "", true},
      {plain, "range", "Range: bytes=0-1", "", true},
      {plain, "cache-control", "Cache-Control: no-cache", "", true},
      {plain, "host", "X-Custom: a", "", true},
      {theme, "cookie", "Cookie: _ga=1", "", true},
      {theme, "cookie", "Cookie: x=1", "Cookie: x=2", true},
      {theme, "cookie", "Cookie: sid=1", "Cookie: sid=2", false},
      {theme, "cookie", "Cookie: sid=1", "", false},
      {plain, "cookie", "Cookie: cart=1", "", false},
  };
  for (const auto& c : cases) {
    const bool same =
        variant(get("/", c.a), {c.vary}, c.recipe) == variant(get("/", c.b), {c.vary}, c.recipe);
    EXPECT_EQ(same, c.same) << c.vary << ": " << c.a << " / " << c.b;
  }
}

TEST(VariantKey, CannotBeForgedByMovingBytes) {
  // Names, values and the absence of either keep their places.
  const Recipe recipe = recipe_of({});
  const std::vector<std::string> both{"x-a", "x-b"};
  const std::string requests[] = {
      get("/"),
      get("/", "X-A: 1"),
      get("/", "X-B: 1"),
      get("/", "X-A: 1\nX-B:"),
      get("/", "X-A: 1\nX-A: x-b"),
      get("/", "X-A:\nX-B: 1"),
      get("/", "X-A: 1x-b"),
  };
  for (std::size_t i = 0; i < std::size(requests); ++i) {
    for (std::size_t j = i + 1; j < std::size(requests); ++j) {
      EXPECT_NE(variant(requests[i], both, recipe), variant(requests[j], both, recipe));
    }
  }
  EXPECT_NE(variant(get("/"), {"x-a"}, recipe), variant(get("/"), {"x-b"}, recipe));
  EXPECT_NE(variant(get("/"), {}, recipe), key_of(get("/"), recipe));
}

}  // namespace
}  // namespace weir::keys
