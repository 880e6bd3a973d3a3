#include <gtest/gtest.h>

#include <string>

#include "proxy/policy/advice.h"

namespace weir::policy {
namespace {

TEST(PolicyAdvice, NamesTheLineThatWouldChangeIt) {
  const struct {
    Reason reason;
    std::string_view subject;
    std::string_view yaml;
  } rows[] = {
      {Reason::Cookie, "sid", "cookies: { ignore: [sid] }"},
      {Reason::SetCookie, "seen_banner", "set_cookie: { strip: [seen_banner] }"},
      {Reason::Status, "404", "statuses: { 404: 10s }"},
      {Reason::Status, "Content-Range", ""},  // stored under no list of statuses
      {Reason::Authorization, "X-Api-Key", "headers: [X-Api-Key]"},
      {Reason::NoRoute, "", "- { match: \"/PATH/**\", cache: { duration: 60 } }"},
      {Reason::RouteOff, "", "cache: { duration: 60 }"},
      {Reason::Private, "", "origin: framework"},
      {Reason::NoTtl, "duration", "duration: 60"},
      {Reason::NoTtl, "Cache-Control", "origin: override"},
      {Reason::Cookie, "no", "cookies: { ignore: [\"no\"] }"},
      {Reason::UpstreamError, "", "stale_if_error: 1h"},
      {Reason::Armor, ".css", "armor: false"},
      {Reason::VaryStar, "*", ""},
      {Reason::Method, "POST", ""},
      {Reason::None, "", ""},
      // What clients send cannot leave its quotes in a line that somebody may copy.
      {Reason::Cookie, "a], session: [b", "cookies: { ignore: [\"a], session: [b\"] }"},
      {Reason::Cookie, "a\\\"b", "cookies: { ignore: [\"a\\\\\\\"b\"] }"},
      {Reason::Cookie, "", ""},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(advice_for({row.reason, std::string(row.subject)}, nullptr, "/PATH/**").yaml,
              row.yaml)
        << token(row.reason);
  }
}

TEST(PolicyAdvice, ALineNeverComesWithoutItsCondition) {
  for (int i = 0; i < static_cast<int>(Reason::Count); ++i) {
    const Advice advice = advice_for({static_cast<Reason>(i), "7"}, nullptr, "/");
    if (!advice.yaml.empty()) {
      EXPECT_NE(advice.means, "") << token(static_cast<Reason>(i));
      EXPECT_NE(advice.where, "") << token(static_cast<Reason>(i));
    }
  }
}

TEST(PolicyAdvice, KeepsWhatTheRuleHas) {
  conf::CacheRule rule;
  rule.cookies.key = {"theme"};
  rule.cookies.ignore = {"seen"};
  rule.headers = {"X-Api-Key"};
  rule.cookies.session = {"log*"};
  rule.set_cookie.names = {"seen"};
  rule.statuses = {{200, {}, false}, {301, 3600, false}};
  const struct {
    Reason reason;
    std::string subject;
    std::string_view yaml;
  } rows[] = {
      {Reason::Cookie, "sid",
       "cookies: { key: [theme], session: [\"log*\"], ignore: [seen, sid] }"},
      {Reason::Authorization, "X-Token", "headers: [X-Api-Key, X-Token]"},
      {Reason::SetCookie, "sid", "set_cookie: { strip: [seen, sid] }"},
      {Reason::SetCookie, "login", ""},  // to strip it would break log-ins
      {Reason::Status, "404", "statuses: { 301: 3600, 404: 10s }"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(advice_for({row.reason, row.subject}, &rule, "/").yaml, row.yaml);
  }
}

}  // namespace
}  // namespace weir::policy
