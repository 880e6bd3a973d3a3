// A key whose answer was refused is remembered: nobody waits for anybody there, and nothing is
// switched off.
#include "tests/proxy/flow/flow_fixture.h"

namespace weir::flow {
namespace {

using testing::HasSubstr;

const HeadLines kPrivate = {{"Cache-Control", "private"}};

class RefusalMemoryTest : public FlowTest {
 protected:
  void use_ignored_cookies() {
    conf::CacheRule rule;
    rule.cookies.other = conf::CookieRule::Other::Ignore;
    rule.query_params.ignore = {"ref"};
    use(rule, Tiers::Ram);
  }
  void is_refused(const std::string& target) {
    const auto visitor = visit(target);
    app().answers(200, kPrivate, "mine");
    turn();
    EXPECT_EQ((*visitor)->read(), "mine");
  }
};

TEST_F(RefusalMemoryTest, NobodyWaitsAndAStorableAnswerIsStoredAndEndsIt) {
  is_refused("/a");
  const auto one = visit("/a");
  const auto two = visit("/a");
  ASSERT_EQ(app_.count(), 3U) << "each for itself";
  app_.at(1).answers(200, kFreshLines, "for all");
  turn();
  EXPECT_EQ((*one)->cache_status(), "weir; fwd=uri-miss; stored; ttl=60");
  EXPECT_EQ(status_now("/a"), "weir; hit; ttl=60");
  app_.at(2).answers(200, kPrivate, "mine");
  turn();
  EXPECT_EQ((*two)->cache_status(), "weir; fwd=uri-miss; detail=private");
  EXPECT_EQ(status_now("/a"), "weir; hit; ttl=60");
}

TEST_F(RefusalMemoryTest, OnceItHasEndedThoseWhoComeWaitForEachOtherAgain) {
  is_refused("/a");
  const auto one = visit("/a");
  app().head(200, kFreshLines, http::Framing::Length, 4);
  turn();
  const auto two = visit("/a");
  const auto three = visit("/a");
  EXPECT_EQ(app_.count(), 3U);
}

TEST_F(RefusalMemoryTest, ARequestOfWhichSomethingWouldBeWithheldGoesAsItCame) {
  struct Case {
    std::string target;
    std::string lines;
    bool as_it_came;
  };
  const Case cases[] = {
      {"/1", "", false},
      {"/2", "Accept-Language: de\r\nUser-Agent: x\r\nCache-Control: no-cache\r\n", false},
      {"/3", "Cookie: sid=1\r\n", true},
      {"/4", "Cookie: _ga=1\r\n", true},
      {"/5?ref=x", "", true},
      {"/6", "Range: bytes=0-1\r\n", true},
      {"/7", "If-None-Match: \"x\"\r\n", true},
      {"/8", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", true},
  };
  use_ignored_cookies();
  for (const Case& c : cases) {
    is_refused(c.target.substr(0, 2));
    const auto visitor = visit(c.target, c.lines);
    app().answers(200, kFreshLines, "page");
    turn();
    EXPECT_EQ(app().request().target, c.target) << c.target;
    EXPECT_EQ((*visitor)->cache_status(), c.as_it_came ? "weir; fwd=uri-miss; detail=private"
                                                       : "weir; fwd=uri-miss; stored; ttl=60")
        << c.target << c.lines;
  }
}

TEST_F(RefusalMemoryTest, AnotherRefusalMakesItLastLonger) {
  // Of a request in either form.
  for (const std::string lines : {"", "Cookie: sid=1\r\n"}) {
    use_ignored_cookies();
    const std::string target = lines.empty() ? "/a" : "/b";
    is_refused(target);
    pass_time(6'000);
    const auto confirms = visit(target, lines);
    app().answers(200, kPrivate, "mine");
    turn();
    pass_time(15'000);  // 21 s in all
    const std::size_t before = app_.count();
    const auto one = visit(target);
    const auto two = visit(target);
    EXPECT_EQ(app_.count(), before + 2) << lines;
  }
}

TEST_F(RefusalMemoryTest, WhatSaysNothingOfTheWholeConfirmsNothing) {
  // A 304 or a 206 answers a condition or a Range, a HEAD's answer has no body.
  use_ignored_cookies();
  is_refused("/a");
  pass_time(6'000);
  for (const int status : {304, 206, 416}) {
    const auto visitor = visit("/a", "If-None-Match: \"x\"\r\nRange: bytes=0-1\r\n");
    app().answers(status, {}, "");
    turn();
  }
  pass_time(5'000);
  const std::size_t before = app_.count();
  const auto one = visit("/a");
  const auto two = visit("/a");
  EXPECT_EQ(app_.count(), before + 1) << "ten seconds are over";
}

TEST_F(RefusalMemoryTest, AHeadHasNoSayInIt) {
  use_ignored_cookies();
  const auto head = sends("HEAD /a HTTP/1.1\r\nHost: app.test\r\nCookie: sid=1\r\n\r\n");
  app().head(200, kFreshLines, http::Framing::None);
  app().end();
  turn();
  EXPECT_EQ(app_.count(), 1U) << "its answer is for all";
  const auto one = visit("/a", "Cookie: sid=1\r\n");
  const auto two = visit("/a", "Cookie: sid=2\r\n");
  EXPECT_EQ(app_.count(), 2U);
}

TEST_F(RefusalMemoryTest, APageThatSetsACookieReachesTheAppOnceEachTime) {
  use_ignored_cookies();
  constexpr int kVisits = 100;
  for (int i = 0; i < kVisits; ++i) {
    const std::size_t before = app_.count();
    const auto visitor = visit("/a", "Cookie: sid=1\r\n");
    for (std::size_t asked = before; asked < app_.count(); ++asked) {
      app_.at(asked).answers(200, {{"Set-Cookie", "sid=2"}}, "page");
      turn();
    }
    EXPECT_EQ((*visitor)->read(), "page");
    visitor->leave();
    pass_time(2'000);
  }
  EXPECT_EQ(app_.count(), kVisits + 1U);
}

TEST_F(RefusalMemoryTest, WhoWasNotShownIsAskedForAgainWhereTheAnswerIsNotForAll) {
  // What is served to all is what an anonymous visitor gets; who may have more gets his own.
  struct Case {
    std::string what;
    int status;
    HeadLines lines;
    std::string cookie;
    bool asked_again;
  };
  const HeadLines to_log_in = {{"Location", "/login"}};
  const Case cases[] = {
      {"a page for all", 200, kFreshLines, "sid=1", false},
      {"the way to the log-in", 302, to_log_in, "sid=1", true},
      {"no entry", 403, {}, "sid=1", true},
      {"private", 200, kPrivate, "sid=1", true},
      {"a failure", 500, {}, "sid=1", false},
      {"a cookie of no meaning", 302, to_log_in, "_ga=1", false},
  };
  for (const Case& c : cases) {
    use_ignored_cookies();
    const std::size_t before = app_.count();
    const std::string path = "/" + std::to_string(before);
    const auto visitor = visit(path, "Cookie: " + c.cookie + "\r\n");
    app().answers(c.status, c.lines, "anonymous");
    turn();
    ASSERT_EQ(app_.count(), before + (c.asked_again ? 2 : 1)) << c.what;
    if (c.asked_again) {
      EXPECT_EQ(app().request().fields.value(http::FieldId::Cookie), c.cookie) << c.what;
      app().answers(200, kFreshLines, "hers");
      turn();
      EXPECT_EQ((*visitor)->read(), "hers") << c.what;
      EXPECT_THAT((*visitor)->cache_status(), Not(HasSubstr("stored"))) << c.what;
    } else {
      EXPECT_EQ((*visitor)->read(), "anonymous") << c.what;
    }
  }
}

TEST_F(RefusalMemoryTest, AnObjectKnownToOutgrowTheStoreIsNotHeldInMemoryAgain) {
  const std::string large(kMaxObjectSize + 1, 'x');
  for (int i = 0; i < 4; ++i) {
    const auto visitor = visit("/a");
    app().head(200, kFreshLines, http::Framing::Chunked);
    app().body(large);
    turn();
    EXPECT_EQ((*visitor)->read(), large);
    turn();
    if (i == 0) {
      EXPECT_GT(tables_.budget.used(), kMaxObjectSize / 2) << "nobody knew";
    } else {
      EXPECT_LT(tables_.budget.used(), kMaxObjectSize / 2);
    }
    app().end();
    turn();
    visitor->leave();
    pass_time(9'000 << i);  // its end has confirmed it each time
  }
}

TEST_F(RefusalMemoryTest, AnObjectThatFitsAfterAllIsStoredTheNextTime) {
  const std::string large(kMaxObjectSize + 1, 'x');
  for (const std::string& body : {large, std::string("small"), std::string("small")}) {
    const auto visitor = visit("/a");
    app().head(200, kFreshLines, http::Framing::Chunked);
    app().body(body);
    app().end();
    turn();
    EXPECT_EQ((*visitor)->read(), body);
  }
  EXPECT_EQ(status_now("/a"), "weir; hit; ttl=60");
}

}  // namespace
}  // namespace weir::flow
