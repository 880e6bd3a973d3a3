#include "proxy/flow/request_plan.h"

#include <gtest/gtest.h>

#include "tests/proxy/flow/site_of.h"
#include "tests/proxy/policy_kit.h"

namespace weir::flow {
namespace {

using policy::Lines;
using policy::Reason;
using policy::RequestClass;

http::RequestHead request_for(std::string_view path, const Lines& lines,
                              std::string_view method = "GET") {
  http::RequestHead head = policy::request(lines, method);
  head.target = path;
  head.path = path.substr(0, path.find('?'));
  head.has_query = head.path.size() < path.size();
  if (head.has_query) head.query = path.substr(head.path.size() + 1);
  head.authority = "app.test";
  return head;
}

class RequestPlanTest : public testing::Test {
 protected:
  RequestPlan plan(std::string_view path, const Lines& lines = {},
                   std::string_view method = "GET") {
    return plan_request(request_for(path, lines, method), {.authority = "app.test"}, *site_, key_);
  }

  std::shared_ptr<const Site> site_ = site_of({{"/cached/**", true}, {"/off/**", false}});
  keys::KeyBuffer key_;
};

TEST_F(RequestPlanTest, SaysWhoMayShareTheAnswerAndWhy) {
  struct Case {
    std::string what;
    std::string path;
    std::string method;
    Lines lines;
    RequestClass kind;
    Reason reason;
    Form form;
  };
  const Case cases[] = {
      {"a plain page", "/cached/a", "GET", {}, RequestClass::Shared, Reason::None, Form::Shared},
      {"HEAD", "/cached/a", "HEAD", {}, RequestClass::Shared, Reason::None, Form::Shared},
      {"a cookie",
       "/cached/a",
       "GET",
       {{"Cookie", "sid=1"}},
       RequestClass::Personal,
       Reason::Cookie,
       Form::Personal},
      {"credentials",
       "/cached/a",
       "GET",
       {{"Authorization", "Basic x"}},
       RequestClass::Personal,
       Reason::Authorization,
       Form::Personal},
      {"POST", "/cached/a", "POST", {}, RequestClass::Bypass, Reason::Method, Form::Verbatim},
      {"the method goes before the cookie",
       "/cached/a",
       "PUT",
       {{"Cookie", "sid=1"}},
       RequestClass::Bypass,
       Reason::Method,
       Form::Verbatim},
      {"no cache", "/off/a", "GET", {}, RequestClass::Bypass, Reason::RouteOff, Form::Verbatim},
      {"no route", "/none", "GET", {}, RequestClass::Bypass, Reason::NoRoute, Form::Verbatim},
      {"an upgrade",
       "/cached/a",
       "GET",
       {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}},
       RequestClass::Bypass,
       Reason::Upgrade,
       Form::Verbatim},
  };
  for (const Case& c : cases) {
    const RequestPlan made = plan(c.path, c.lines, c.method);
    EXPECT_EQ(made.kind, c.kind) << c.what;
    EXPECT_EQ(made.refusal.reason, c.reason) << c.what;
    EXPECT_EQ(made.form(), c.form) << c.what;
    EXPECT_FALSE(made.answered_here) << c.what;
  }
}

TEST_F(RequestPlanTest, WhatIsUsedOnceGoesAsItCameWhereACookieWouldBeWithheld) {
  // So it is not asked twice; without a cookie nothing is withheld, and one that matters is kept.
  const struct {
    const char* path;
    Lines lines;
    RequestClass kind;
    const char* subject;
  } cases[] = {
      {"/cached/in?code=1&state=2", {{"Cookie", "_ga=1"}}, RequestClass::Bypass, "_ga"},
      {"/cached/in?token=1", {{"Cookie", "_ga=1; _gid=2"}}, RequestClass::Bypass, "_ga"},
      {"/cached/in?token=1", {}, RequestClass::Shared, ""},
      {"/cached/in?page=1", {{"Cookie", "_ga=1"}}, RequestClass::Shared, ""},
      {"/cached/in", {{"Cookie", "_ga=1"}}, RequestClass::Shared, ""},
      {"/cached/in?token=1", {{"Cookie", "_ga=1; sid=1"}}, RequestClass::Personal, "sid"},
      {"/cached/in?token=1",
       {{"Cookie", "_ga=1"}, {"Authorization", "x"}},
       RequestClass::Personal,
       "Authorization"},
  };
  for (const auto& c : cases) {
    const RequestPlan made = plan(c.path, c.lines);
    EXPECT_EQ(made.kind, c.kind) << c.path;
    EXPECT_EQ(made.refusal.subject, c.subject) << c.path;
    EXPECT_EQ(made.form(), made.kind == RequestClass::Bypass     ? Form::Verbatim
                           : made.kind == RequestClass::Personal ? Form::Personal
                                                                 : Form::Shared);
  }
}

TEST_F(RequestPlanTest, NamesTheRouteTheKeyAndTheSubject) {
  const RequestPlan made = plan("/cached/a", {{"Cookie", "sid=1"}});
  ASSERT_NE(made.route, nullptr);
  EXPECT_EQ(made.route, &site_->routes[0]);
  EXPECT_TRUE(made.cached_route());
  EXPECT_EQ(made.refusal.subject, "sid");
  const std::string first(key_.view().bytes);
  plan("/cached/b");
  EXPECT_NE(first, key_.view().bytes);
  EXPECT_FALSE(plan("/off/a").cached_route());
  EXPECT_FALSE(plan("/none").cached_route());
}

TEST_F(RequestPlanTest, AnOptionsThatMayNotBeForwardedEndsHere) {
  // RFC 9110 7.6.2.
  EXPECT_TRUE(plan("/cached/a", {{"Max-Forwards", "0"}}, "OPTIONS").answered_here);
  EXPECT_FALSE(plan("/cached/a", {{"Max-Forwards", "1"}}, "OPTIONS").answered_here);
}

TEST_F(RequestPlanTest, TheAppSeesWhatTheFormSays) {
  // A cookie reaches the app with a personal request and with one that is sent as it came.
  const Lines lines = {{"Cookie", "sid=1"}, {"User-Agent", "test"}};
  const http::RequestHead head = request_for("/cached/a", lines);
  const RequestPlan made = plan_request(head, {.authority = head.authority}, *site_, key_);
  const auto cookie_in = [&](Form form) {
    return sent_request(head, {.authority = head.authority}, made, form)
        .fields.has(http::FieldId::Cookie);
  };
  EXPECT_FALSE(cookie_in(Form::Shared));
  EXPECT_TRUE(cookie_in(Form::Personal));
  EXPECT_TRUE(cookie_in(Form::Verbatim));
}

}  // namespace
}  // namespace weir::flow
