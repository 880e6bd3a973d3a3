#include <gtest/gtest.h>

#include "proxy/policy/request_policy.h"
#include "tests/proxy/policy_kit.h"

namespace weir::policy {
namespace {

struct RequestCase {
  std::string what;
  std::string method;
  Lines lines;
  Reason reason;
};

TEST(PolicyRequest, JudgesBeforeThereIsAKey) {
  // What the request line and the connection's fields alone decide on a cached route.
  const Lines websocket = {{"Connection", "keep-alive, Upgrade"}, {"Upgrade", "websocket"}};
  const RequestCase cases[] = {
      {"GET", "GET", {}, Reason::None},
      {"HEAD", "HEAD", {}, Reason::None},
      {"POST", "POST", {}, Reason::Method},
      {"QUERY is passed", "QUERY", {}, Reason::Method},
      {"OPTIONS", "OPTIONS", {}, Reason::Method},
      {"methods have a case (RFC 9110 9.1)", "get", {}, Reason::Method},
      {"upgrade", "GET", websocket, Reason::Upgrade},
      {"Upgrade that Connection does not name", "GET", {{"Upgrade", "websocket"}}, Reason::None},
      {"h2c is ignored", "GET", {{"Connection", "Upgrade"}, {"Upgrade", "h2c"}}, Reason::None},
      {"h2c among others",
       "GET",
       {{"Connection", "Upgrade"}, {"Upgrade", "h2c, websocket"}},
       Reason::Upgrade},
      {"HTTP in another form is ignored",
       "GET",
       {{"Connection", "Upgrade"}, {"Upgrade", "HTTP/2.0, TLS/1.0"}},
       Reason::None},
      {"a protocol of the app's own",
       "POST",
       {{"Connection", "Upgrade"}, {"Upgrade", "tcp"}},
       Reason::Upgrade},
      {"a Range is no reason", "GET", {{"Range", "bytes=0-9"}}, Reason::None},
      {"no-store is advice (RFC 9111 5.2.1)", "GET", {{"Cache-Control", "no-store"}}, Reason::None},
  };
  const conf::CacheRule rule;
  for (const RequestCase& c : cases) {
    const RequestVerdict verdict = judge_before_key(request(c.lines, c.method), true, &rule);
    EXPECT_EQ(verdict.refusal.reason, c.reason) << c.what;
    EXPECT_EQ(verdict.kind, c.reason == Reason::None ? RequestClass::Shared : RequestClass::Bypass)
        << c.what;
  }
}

TEST(PolicyRequest, WithoutACachedRouteNothingIsCached) {
  // No route, and a route with `cache: false`, each under its own name.
  const conf::CacheRule rule;
  EXPECT_EQ(judge_before_key(request({}), false, nullptr).refusal.reason, Reason::NoRoute);
  EXPECT_EQ(judge_before_key(request({}), true, nullptr).refusal.reason, Reason::RouteOff);
  EXPECT_EQ(judge_before_key(request({}, "POST"), true, nullptr).refusal.reason, Reason::RouteOff);
}

TEST(PolicyRequest, UpgradesAreSeenOnEveryRoute) {
  // An upgrade is tunnelled also where nothing is cached; HTTP/1.0 has none (RFC 9110 7.8).
  const Lines lines = {{"Connection", "upgrade"}, {"Upgrade", "websocket"}};
  http::RequestHead head = request(lines);
  EXPECT_EQ(judge_before_key(head, false, nullptr).refusal.reason, Reason::Upgrade);
  EXPECT_EQ(judge_before_key(head, true, nullptr).refusal.subject, "websocket");
  head.minor_version = 0;
  EXPECT_EQ(judge_before_key(head, true, nullptr).refusal.reason, Reason::RouteOff);
}

TEST(PolicyRequest, AGetWithABodyBypasses) {
  // A body is not in the key, so it may not shape a shared answer; not even an empty chunked one.
  const conf::CacheRule rule;
  http::RequestHead head = request({});
  head.framing = http::Framing::Length;
  head.content_length = 3;
  EXPECT_EQ(judge_before_key(head, true, &rule).refusal.reason, Reason::Body);
  head.framing = http::Framing::Chunked;
  EXPECT_EQ(judge_before_key(head, true, &rule).refusal.reason, Reason::Body);
}

TEST(PolicyRequest, NoStoreCountsWhereClientsAreHeard) {
  // RFC 9111 5.2.1.5 on a route with client_no_cache: honor.
  conf::CacheRule rule;
  rule.honor_client_no_cache = true;
  const Lines lines = {{"Cache-Control", "no-store"}};
  EXPECT_EQ(judge_before_key(request(lines), true, &rule).refusal.reason, Reason::ClientNoCache);
}

TEST(PolicyRequest, CookiesAndCredentialsMakeItPersonal) {
  // The key's verdict becomes the class, its reason and its subject.
  struct Case {
    keys::Personal personal;
    RequestClass kind;
    Reason reason;
  };
  const Case cases[] = {
      {keys::Personal::No, RequestClass::Shared, Reason::None},
      {keys::Personal::Cookie, RequestClass::Personal, Reason::Cookie},
      {keys::Personal::SessionCookie, RequestClass::Personal, Reason::Session},
      {keys::Personal::Credential, RequestClass::Personal, Reason::Authorization},
  };
  for (const Case& c : cases) {
    const keys::KeyVerdict key{c.personal, "it"};
    const RequestVerdict verdict = judge_key(key);
    EXPECT_EQ(verdict.kind, c.kind);
    EXPECT_EQ(verdict.refusal.reason, c.reason);
    EXPECT_EQ(verdict.refusal.subject, c.reason == Reason::None ? "" : "it");
  }
}

}  // namespace
}  // namespace weir::policy
