// Cookies and credentials: who may share what with whom (rules 2 and 4).
#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

class Personal : public E2e {
 protected:
  void SetUp() override {
    // Answers with the cookies it was shown.
    origin_.otherwise([](const Request& request) {
      return cacheable("cookies=" + request.fields.joined("Cookie"));
    });
    origin_.on("/public", cacheable("for all", "public, max-age=60"));
  }
};

TEST_F(Personal, ACookieThatMattersBypasses) {
  // The default: such a request keeps its cookies, reads nothing and feeds nothing.
  start(kCacheAll);
  get("/a");
  const Response own = get("/a", {{"Cookie", "sid=1"}});
  EXPECT_EQ(own.value("Cache-Status"), "weir; fwd=bypass; detail=cookie");
  EXPECT_EQ(own.body, "cookies=sid=1");
  EXPECT_EQ(get("/a").body, "cookies=");
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(Personal, HarmlessCookiesAreRemovedAndShare) {
  // Analytics cookies neither bypass nor reach the app.
  start(kCacheAll);
  EXPECT_EQ(get("/a", {{"Cookie", "_ga=GA1.2.3; _gid=4; _fbp=5; _ga_ABC=6"}}).body, "cookies=");
  EXPECT_TRUE(status_of("/a", {{"Cookie", "_ga=other"}}).hit);
  EXPECT_TRUE(status_of("/a").hit);
  EXPECT_FALSE(origin_.last("/a").fields.has("Cookie"));
}

TEST_F(Personal, IgnoredCookiesDoNotMatter) {
  // cookies: ignore: one answer for all, made without cookies.
  start("routes: [ { match: /**, cache: { duration: 60, cookies: ignore } } ]\n");
  EXPECT_EQ(get("/a", {{"Cookie", "sid=1"}}).body, "cookies=");
  EXPECT_TRUE(status_of("/a", {{"Cookie", "sid=2"}}).hit);
}

TEST_F(Personal, KeyedCookiesMakeVariants) {
  // cookies: [theme]: each value its own answer; the app sees that cookie only; Vary says so.
  start("routes: [ { match: /**, cache: { duration: 60, cookies: [theme] } } ]\n");
  EXPECT_EQ(get("/a", {{"Cookie", "_ga=1; theme=dark"}}).body, "cookies=theme=dark");
  EXPECT_EQ(get("/a", {{"Cookie", "theme=light"}}).body, "cookies=theme=light");
  EXPECT_EQ(get("/a").body, "cookies=");
  const Response dark = get("/a", {{"Cookie", "theme=dark"}});
  EXPECT_TRUE(cache_status(dark).hit);
  EXPECT_EQ(dark.body, "cookies=theme=dark");
  EXPECT_THAT(dark.fields.joined("Vary"), testing::HasSubstr("ookie"));
  EXPECT_EQ(status_of("/a", {{"Cookie", "theme=dark; sid=1"}}).detail, "cookie");
  EXPECT_EQ(origin_.hits("/a"), 4);
}

TEST_F(Personal, SessionCookiesAlwaysBypass) {
  // {key, session, other}: a session bypasses under its own name, the rest is ignored.
  start(
      "routes: [ { match: /**, cache: { duration: 60, "
      "cookies: { key: [theme], session: [\"sid*\"], other: ignore } } } ]\n");
  EXPECT_EQ(get("/a", {{"Cookie", "theme=x; foo=1"}}).body, "cookies=theme=x");
  const Response own = get("/a", {{"Cookie", "theme=x; sid_7=secret; foo=1"}});
  EXPECT_EQ(cache_status(own).detail, "session");
  EXPECT_EQ(own.body, "cookies=theme=x; sid_7=secret; foo=1");
  EXPECT_TRUE(status_of("/a", {{"Cookie", "foo=2; theme=x"}}).hit);
}

TEST_F(Personal, AuthorizedRequestsShareNothing) {
  // RFC 9111 3.5: neither stored nor served from what others stored.
  start(kCacheAll);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(status_of("/a", {{"Authorization", "Bearer x"}}).detail, "authorization");
  EXPECT_FALSE(status_of("/a").hit);
  EXPECT_FALSE(status_of("/a", {{"Authorization", "Bearer x"}}).hit);
  EXPECT_EQ(origin_.last("/a").fields.value("Authorization"), "Bearer x");
  EXPECT_EQ(origin_.hits("/a"), 4);
}

TEST_F(Personal, WhatThePublicMayReadPersonsMayToo) {
  // Rule 4: public, s-maxage and CDN-Cache-Control answers are stored from and served to anybody.
  origin_.on("/smaxage", cacheable("for all", "s-maxage=60"));
  origin_.on("/cdn", Reply(200).header("CDN-Cache-Control", "max-age=60").body("for all"));
  start(kCacheAll);
  for (const char* path : {"/public", "/smaxage", "/cdn"}) {
    SCOPED_TRACE(path);
    EXPECT_TRUE(status_of(path, {{"Authorization", "Bearer x"}}).stored);
    EXPECT_TRUE(status_of(path).hit);
    EXPECT_TRUE(status_of(path, {{"Cookie", "sid=1"}}).hit);
    EXPECT_TRUE(status_of(path, {{"Authorization", "Bearer y"}}).hit);
    EXPECT_EQ(origin_.hits(path), 1);
  }
}

TEST_F(Personal, CredentialHeadersCountAsAuthorization) {
  // X-Api-Key and its kin, and those that the route adds, unless they are in the key.
  start(
      "routes:\n"
      "  - { match: /keyed/*, cache: { duration: 60, headers: [X-Api-Key] } }\n"
      "  - { match: /**, cache: { duration: 60, credentials: [X-Shop-Id] } }\n");
  for (const char* name : {"X-Api-Key", "X-Auth-Token", "X-Access-Token", "X-Forwarded-User",
                           "X-Remote-User", "X-Amzn-Oidc-Data", "X-SSL-Client-Cert", "X-Shop-Id",
                           "X-Session-Id", "X-Vault-Token", "PRIVATE-TOKEN", "apikey",
                           "X-Redmine-API-Key", "X-Hasura-Admin-Secret", "X-Parse-Session-Token"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(status_of("/a", {{name, "v"}}).detail, "authorization");
    EXPECT_EQ(origin_.last("/a").fields.value(name), "v");
  }
  EXPECT_TRUE(status_of("/keyed/a", {{"X-Api-Key", "one"}}).stored);
  EXPECT_FALSE(status_of("/keyed/a", {{"X-Api-Key", "two"}}).hit);
  EXPECT_TRUE(status_of("/keyed/a", {{"X-Api-Key", "one"}}).hit);
}

TEST_F(Personal, ASetCookieOfARemovedCookieAsksAgain) {
  // Ignoring cookies never logs a visitor out: the answer made without them is discarded.
  origin_.on("/a", [](const Request& request) {
    if (request.fields.joined("Cookie").find("sid=1") != std::string::npos)
      return cacheable("welcome back", "private");
    return cacheable("who are you").header("Set-Cookie", "sid=new");
  });
  start("routes: [ { match: /**, cache: { duration: 60, cookies: ignore } } ]\n");
  const Response response = get("/a", {{"Cookie", "sid=1"}});
  EXPECT_EQ(response.body, "welcome back");
  EXPECT_FALSE(response.fields.has("Set-Cookie"));
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(Personal, AUrlThatIsUsedOnceIsAskedOnce) {
  // A log-in comes back with a code that the app takes once; its cookie is one that the rule
  // ignores. The app sees it at once, since a second call would be refused.
  std::atomic<int> calls = 0;
  const auto log_in = [&calls](const Request& request) {
    if (++calls > 1) return cacheable("this link was used before", "no-store");
    return Reply(302)
        .header("Location", "/home")
        .header("Set-Cookie", "flow=done")
        .body(request.query + "|" + request.fields.joined("Cookie"));
  };
  start("routes: [ { match: /**, cache: { duration: 60, cookies: ignore } } ]\n");
  for (const char* query : {"code=1&utm_source=x&state=2", "token=abc", "SAMLResponse=x"}) {
    SCOPED_TRACE(query);
    calls = 0;
    origin_.on("/login", log_in);
    const Response response =
        get(std::string("/login?") + query, {{"Cookie", "flow=1; _ga=GA1.2"}});
    EXPECT_EQ(response.status, 302);
    EXPECT_EQ(response.body, std::string(query) + "|flow=1; _ga=GA1.2");
    EXPECT_EQ(response.value("Set-Cookie"), "flow=done");
    EXPECT_EQ(response.value("Cache-Status"), "weir; fwd=bypass; detail=cookie");
    EXPECT_EQ(calls, 1);
  }
}

TEST_F(Personal, APageForOneVisitorIsNotStoredWithItsCookieStripped) {
  // A page that calls itself public, greets who is logged in and renews the session's cookie: it is
  // neither stored for others nor served to him from what others stored.
  origin_.on("/a", [](const Request& request) {
    const std::string who = request.fields.joined("Cookie");
    return cacheable(who.empty() ? "hello" : "hello, " + who, "public, max-age=60")
        .header("Set-Cookie", "_app_session=new");
  });
  start(
      "routes: [ { match: /**, cache: { duration: 60, "
      "set_cookie: { strip: [\"_*_session\"] } } } ]\n");
  const Response own = get("/a", {{"Cookie", "_app_session=ann"}});
  EXPECT_EQ(own.body, "hello, _app_session=ann");
  EXPECT_EQ(own.value("Set-Cookie"), "_app_session=new") << "his own session is not stripped";
  EXPECT_EQ(own.value("Cache-Status"), "weir; fwd=bypass; detail=set-cookie");
  const Response plain = get("/a");
  EXPECT_EQ(plain.body, "hello");
  EXPECT_FALSE(plain.fields.has("Set-Cookie"));
  EXPECT_TRUE(status_of("/a").hit);
  EXPECT_EQ(get("/a", {{"Cookie", "_app_session=bob"}}).body, "hello, _app_session=bob");
  EXPECT_EQ(get("/a").body, "hello");
}

TEST_F(Personal, UncacheableKeysAreSentRequestsAsTheyCame) {
  // What is private is asked for again with all that was withheld, and from then on at once.
  origin_.on("/a", [](const Request& request) {
    return cacheable(request.query + "|" + request.fields.joined("Cookie"), "private");
  });
  start("routes: [ { match: /**, cache: { duration: 60, cookies: ignore } } ]\n");
  for (const int hits : {2, 3}) {
    EXPECT_EQ(get("/a?x=1&utm_source=y", {{"Cookie", "sid=1"}}).body, "x=1&utm_source=y|sid=1");
    EXPECT_EQ(origin_.hits("/a"), hits);
  }
}

}  // namespace
}  // namespace weir::test
