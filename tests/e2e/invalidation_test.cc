// Invalidation (RFC 9111 4.4): a form was posted, and whoever sent it finds the page as it is now.
#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

class Invalidation : public E2e {
 protected:
  // Every page tells how often it was asked for.
  void serve_pages() {
    origin_.otherwise([this](const Request& request) {
      if (request.method != "GET") return reply_to_post_;
      return cacheable("page " + std::to_string(++pages_));
    });
  }
  // Has it stored, and makes sure that it is.
  void fill(const std::string& path, const Fields& fields = {}) {
    get(path, fields);
    ASSERT_TRUE(status_of(path, fields).hit) << path;
  }
  Response send(const std::string& method, const std::string& path, const Fields& fields = {}) {
    return client().request(method, path, fields, "x=1");
  }
  void expect_gone(const std::string& path, bool gone, const Fields& fields = {}) {
    EXPECT_EQ(status_of(path, fields).hit, !gone) << path;
  }

  Reply reply_to_post_ = Reply(200).body("done");
  std::atomic<int> pages_{0};
};

TEST_F(Invalidation, TheSuccessOfAnUnsafeRequestKillsThePage) {
  struct Case {
    const char* method;
    int status;
    bool gone;
  };
  serve_pages();
  start(kCacheAll);
  for (const Case& c : {Case{"POST", 200, true}, Case{"POST", 201, true}, Case{"POST", 303, true},
                        Case{"PUT", 204, true}, Case{"DELETE", 200, true}, Case{"PATCH", 200, true},
                        Case{"BREW", 200, true}, Case{"POST", 400, false}, Case{"POST", 404, false},
                        Case{"POST", 500, false}, Case{"OPTIONS", 200, false}}) {
    SCOPED_TRACE(std::string(c.method) + " " + std::to_string(c.status));
    reply_to_post_ = Reply(c.status);
    if (c.status != 204) reply_to_post_.body("done");
    fill("/page?a=1");
    fill("/other");
    send(c.method, "/page?a=1");
    expect_gone("/page?a=1", c.gone);
    expect_gone("/other", false);
  }
}

TEST_F(Invalidation, AllThatIsStoredOfTheUrlGoes) {
  // In other languages, with other fields in the key, under tracking parameters that are not.
  serve_pages();
  start(
      "routes:\n"
      "  - { match: /**, cache: { duration: 60, language: [en, it], headers: [X-Tenant] } }\n");
  const std::vector<Fields> visitors = {{},
                                        {{"Accept-Language", "it"}},
                                        {{"X-Tenant", "7"}},
                                        {{"Accept", "image/png"}, {"X-Tenant", "8"}}};
  for (const Fields& fields : visitors) fill("/page", fields);
  send("POST", "/page?utm_source=mail");
  for (const Fields& fields : visitors) expect_gone("/page", true, fields);
}

TEST_F(Invalidation, WhatTheAnswerPointsToGoesAsWell) {
  // Of the same origin only.
  serve_pages();
  start(kCacheAll);
  const std::string here = "app.test";
  struct Case {
    std::string field;
    std::string value;
    bool gone;
  };
  for (const Case& c :
       {Case{"Location", "/posts/7#comment-3", true}, Case{"Location", "../posts/7", true},
        Case{"Content-Location", "/posts/7", true},
        Case{"Location", "http://" + here + "/posts/7", true},
        Case{"Location", "http://other.test/posts/7", false},
        Case{"Location", "https://" + here + "/posts/7", false},
        Case{"Location", "/posts/8", false}}) {
    SCOPED_TRACE(c.field + ": " + c.value);
    reply_to_post_ = Reply(302).header(c.field, c.value).body("");
    fill("/posts/7");
    send("POST", "/comments/new");
    expect_gone("/posts/7", c.gone);
  }
}

TEST_F(Invalidation, WhoAsksDuringAFetchOfBeforeDoesNotGetIt) {
  // The page is being fetched when somebody posts: that answer is its own client's, and not kept.
  const Gate gate;
  std::atomic<int> asked{0};
  origin_.otherwise([&](const Request& request) {
    if (request.method != "GET") return Reply(200).body("done");
    const int number = ++asked;
    Reply reply = cacheable("page " + std::to_string(number));
    return number == 1 ? reply.gate_head(gate) : reply;
  });
  start(kCacheAll);
  Client first = client();
  first.send(Client::message("GET", "/page"));
  gate.await_arrivals(1);
  send("POST", "/page");
  EXPECT_EQ(get("/page").body, "page 2");
  gate.open();
  EXPECT_EQ(first.read().body, "page 1");
  const Response now = get("/page");
  EXPECT_EQ(now.body, "page 2");
  EXPECT_TRUE(cache_status(now).hit);
}

TEST_F(Invalidation, StrangersWhoPostElsewhereMakeNobodyElsesPageBeForgotten) {
  serve_pages();
  start(kCacheAll);
  for (int i = 0; i < 50; ++i) fill("/page" + std::to_string(i));
  Client stranger = client();
  for (int i = 0; i < 2000; ++i) {
    const std::string path = "/nobody?n=" + std::to_string(i);
    ASSERT_EQ(stranger.request("POST", path, {}, "x").status, 200);
  }
  for (int i = 0; i < 50; ++i) expect_gone("/page" + std::to_string(i), false);
}

}  // namespace
}  // namespace weir::test
