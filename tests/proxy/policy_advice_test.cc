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
      {Reason::Armor, ".css", "armor: false"},
      {Reason::VaryStar, "*", ""},
      {Reason::Method, "POST", ""},
      {Reason::None, "", ""},
      // What clients send stands in no line that somebody may copy.
      {Reason::Cookie, "a], session: [b", "cookies: { ignore: [NAME] }"},
      {Reason::Cookie, "", "cookies: { ignore: [NAME] }"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(advice_on(row.reason, row.subject).yaml, row.yaml) << token(row.reason);
  }
}

TEST(PolicyAdvice, ALineNeverComesWithoutItsCondition) {
  for (int i = 0; i < static_cast<int>(Reason::Count); ++i) {
    const Advice advice = advice_on(static_cast<Reason>(i), "7");
    if (!advice.yaml.empty()) {
      EXPECT_NE(advice.note, "") << token(static_cast<Reason>(i));
    }
  }
}

}  // namespace
}  // namespace weir::policy
