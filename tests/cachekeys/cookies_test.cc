#include "cachekeys/cookies.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/cachekeys/request.h"

namespace weir::keys {
namespace {

using Other = conf::CookieRule::Other;

TEST(Cookies, AreReadWithoutLosingAny) {
  // Every pair of every line counts, malformed ones too.
  const TestRequest request(get("/", "Cookie: a=1; b = 2 ;c;; =d; e=f=g\nCookie: a=\"x;y\"; h="));
  std::vector<std::string> seen;
  for_each_cookie(request.head, [&](const Cookie& cookie) {
    seen.push_back(std::string(cookie.name) + "=" + std::string(cookie.value));
  });
  EXPECT_EQ(seen,
            (std::vector<std::string>{"a=1", "b=2", "c=", "=d", "e=f=g", "a=\"x", "y\"=", "h="}));
}

TEST(Cookies, HaveTheRoleThatTheRuleGivesThem) {
  // A session outweighs a key, a key the harmless list, and what nobody names matters.
  const conf::CookieRule rule{
      {"theme", "_ga", "ab_*"}, {"sid*", "ab_login"}, Other::Bypass, {"seen_*", "sid_*", "ab_2"}};
  const struct {
    const char* name;
    CookieRole role;
  } cases[] = {
      {"theme", CookieRole::Keyed},       {"Theme", CookieRole::Matters},
      {"_ga", CookieRole::Keyed},         {"_ga_ABC", CookieRole::Harmless},
      {"ab_1", CookieRole::Keyed},        {"ab_login", CookieRole::Session},
      {"sid", CookieRole::Session},       {"sidecar", CookieRole::Session},
      {"csrftoken", CookieRole::Matters}, {"", CookieRole::Matters},
      {"seen_a", CookieRole::Harmless},   {"sid_a", CookieRole::Session},
      {"ab_2", CookieRole::Keyed},        {"seen", CookieRole::Matters},
  };
  for (const auto& c : cases) EXPECT_EQ(cookie_role(c.name, rule), c.role) << c.name;
  EXPECT_EQ(cookie_role("csrftoken", {{}, {}, Other::Ignore}), CookieRole::Ignored);
}

TEST(Cookies, MakeARequestPersonal) {
  // The verdict names the cookie that keeps a request from the shared cache.
  const Recipe recipe = recipe_of({.cookies = {{"theme"}, {"sid"}, Other::Bypass, {"csrf*"}}});
  const struct {
    const char* lines;
    Personal personal;
    const char* subject;
  } cases[] = {
      {"", Personal::No, ""},
      {"Cookie:", Personal::No, ""},
      {"Cookie: theme=dark; _gid=1", Personal::No, ""},
      {"Cookie: csrftoken=1", Personal::No, ""},
      {"Cookie: csrftoken=1; cart=1", Personal::Cookie, "cart"},
      {"Cookie: theme=dark; cart=1; x=2", Personal::Cookie, "cart"},
      {"Cookie: cart", Personal::Cookie, "cart"},
      {"Cookie: cart=1; sid=2", Personal::SessionCookie, "sid"},
      {"Cookie: theme=1\nCookie: sid=2", Personal::SessionCookie, "sid"},
      {"Cookie: cart=1\nAuthorization: Basic x", Personal::Credential, "Authorization"},
      {"Cookie: sid=1\nAuthorization: Basic x", Personal::SessionCookie, "sid"},
  };
  for (const auto& c : cases) {
    const TestRequest request(get("/", c.lines));
    const KeyVerdict verdict = verdict_of(request, recipe);
    EXPECT_EQ(verdict.personal, c.personal) << c.lines;
    EXPECT_EQ(verdict.subject, c.subject) << c.lines;
  }
}

TEST(Cookies, OfTheKeyAreSentInTheKeysOrder) {
  // The app sees keyed cookies only, sorted by name, repeated names in the client's order.
  const Recipe recipe = recipe_of({.cookies = {{"theme", "ab*"}, {}, Other::Ignore}});
  const SentRequest sent =
      shared_of(get("/", "Cookie: theme=2; x=1; ab=1; theme=1; _ga=2; x=3"), recipe);
  EXPECT_EQ(sent_field(sent, "cookie"), "ab=1; theme=2; theme=1");
  EXPECT_EQ(sent.removed_cookies, (std::vector<std::string>{"x", "_ga"}));
  EXPECT_TRUE(sent.removed_unknown_cookie);
  EXPECT_EQ(key_of(get("/", "Cookie: ab=1; theme=2; theme=1"), recipe),
            key_of(get("/", "Cookie: theme=2; y=1\nCookie: theme=1; ab=1"), recipe));
  EXPECT_NE(key_of(get("/", "Cookie: theme=1; theme=2"), recipe),
            key_of(get("/", "Cookie: theme=2; theme=1"), recipe));
  EXPECT_EQ(sent_field(shared_of(get("/", "Cookie: x=1"), recipe), "cookie"), "(absent)");
}

TEST(Cookies, ThatTheRuleIgnoresAreWithheldAndKnown) {
  // Nobody is asked to log in because one of them was not shown.
  const Recipe recipe = recipe_of({.cookies = {{}, {}, Other::Bypass, {"csrf*"}}});
  const SentRequest sent = shared_of(get("/", "Cookie: csrftoken=2; _ga=2"), recipe);
  EXPECT_EQ(sent_field(sent, "cookie"), "(absent)");
  EXPECT_EQ(sent.removed_cookies, (std::vector<std::string>{"csrftoken", "_ga"}));
  EXPECT_FALSE(sent.removed_unknown_cookie);
}

}  // namespace
}  // namespace weir::keys
