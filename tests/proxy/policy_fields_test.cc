#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/policy/vary_list.h"
#include "tests/proxy/policy_kit.h"

namespace weir::policy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Mode = conf::SetCookieRule::Mode;

conf::CacheRule cookie_rule(Mode mode, std::vector<std::string> names = {}) {
  conf::CacheRule rule = rule_of(60);
  rule.set_cookie = {mode, std::move(names)};
  return rule;
}

const Lines kTwoCookies = {
    {"Set-Cookie", "_app_session=1; path=/"}, {"X-Other", "kept"}, {"set-cookie", "theme=dark"}};

TEST(PolicySetCookie, RefusedByDefault) {
  // A response that sets a cookie is not stored; the first cookie is named.
  const StoreVerdict verdict = judge(kTwoCookies, cookie_rule(Mode::Refuse));
  EXPECT_EQ(verdict.refusal.reason, Reason::SetCookie);
  EXPECT_EQ(verdict.refusal.subject, "_app_session");
}

TEST(PolicySetCookie, OverrideDoesNotSetItAside) {
  // `origin: override` wins over Cache-Control, never over Set-Cookie.
  conf::CacheRule rule = cookie_rule(Mode::Refuse);
  rule.origin = conf::OriginMode::Override;
  EXPECT_EQ(judge(kTwoCookies, rule).refusal.reason, Reason::SetCookie);
}

TEST(PolicySetCookie, StripRemovesAllAndOnlyThem) {
  // From the fields that are stored and sent alike.
  const StoreVerdict verdict = judge(kTwoCookies, cookie_rule(Mode::StripAll));
  EXPECT_EQ(verdict.refusal.reason, Reason::None);
  http::HeaderBlock fields = answer(kTwoCookies).fields;
  strip_set_cookies(fields, verdict);
  EXPECT_FALSE(fields.has(http::FieldId::SetCookie));
  EXPECT_EQ(fields.size(), 1U);
}

TEST(PolicySetCookie, StripOfSomeNamesForbidsTheOthers) {
  // Patterns name what goes; any other cookie still forbids storing.
  const StoreVerdict other = judge(kTwoCookies, cookie_rule(Mode::StripNames, {"_*_session"}));
  EXPECT_EQ(other.refusal.reason, Reason::SetCookie);
  EXPECT_EQ(other.refusal.subject, "theme");
  EXPECT_THAT(other.strip_cookies, IsEmpty());
  const StoreVerdict both =
      judge(kTwoCookies, cookie_rule(Mode::StripNames, {"_*_session", "theme"}));
  EXPECT_EQ(both.refusal.reason, Reason::None);
  http::HeaderBlock fields = answer(kTwoCookies).fields;
  strip_set_cookies(fields, both);
  EXPECT_FALSE(fields.has(http::FieldId::SetCookie));
}

TEST(PolicySetCookie, NothingIsStrippedFromWhatIsNotStored) {
  // A private answer keeps its cookies: stripping them would log somebody out.
  const Lines lines = {{"Cache-Control", "private"}, {"Set-Cookie", "sid=1"}};
  const StoreVerdict verdict = judge(lines, cookie_rule(Mode::StripAll));
  EXPECT_EQ(verdict.refusal.reason, Reason::Private);
  http::HeaderBlock fields = answer(lines).fields;
  strip_set_cookies(fields, verdict);
  EXPECT_TRUE(fields.has(http::FieldId::SetCookie));
}

TEST(PolicySetCookie, StoreKeepsThem) {
  // RFC 9111 7.3: storing Set-Cookie is allowed; here it takes an explicit setting.
  const StoreVerdict verdict = judge(kTwoCookies, cookie_rule(Mode::Store));
  EXPECT_EQ(verdict.refusal.reason, Reason::None);
  http::HeaderBlock fields = answer(kTwoCookies).fields;
  strip_set_cookies(fields, verdict);
  EXPECT_EQ(fields.size(), 3U);
}

TEST(PolicySetCookie, FindsTheCookieThatTheAppDidNotGetToSee) {
  // An answer that sets a cookie removed from the request is known by it, unless it is stripped.
  const http::HeaderBlock fields = answer(kTwoCookies).fields;
  EXPECT_EQ(sets_one_of(fields, {}, {"other", "theme"}), "theme");
  EXPECT_EQ(sets_one_of(fields, {}, {"other"}), std::nullopt);
  EXPECT_EQ(sets_one_of(fields, {}, {}), std::nullopt);
  StoreVerdict strips;
  strips.strip_cookies = {"th*"};
  EXPECT_EQ(sets_one_of(fields, strips, {"theme"}), std::nullopt);
}

TEST(PolicySetCookie, ReadsNamesAsBrowsersDo) {
  // RFC 6265 5.2: up to the first "=" of what stands before the first ";".
  EXPECT_EQ(set_cookie_name("a=b; Path=/"), "a");
  EXPECT_EQ(set_cookie_name(" a =b=c"), "a");
  EXPECT_EQ(set_cookie_name("novalue; a=b"), "");
  EXPECT_EQ(set_cookie_name(""), "");
}

struct VaryCase {
  std::string what;
  Lines lines;
  Reason reason;
  std::vector<std::string> names;
};

TEST(PolicyVary, ListsWhatAnAnswerDependsOn) {
  // RFC 9111 4.1, and the fields that no two clients share.
  const VaryCase cases[] = {
      {"none", {}, Reason::None, {}},
      {"sorted, lower case, unique",
       {{"Vary", "User-Agent, accept-encoding"}, {"vary", "ACCEPT-ENCODING,,Accept"}},
       Reason::None,
       {"accept", "accept-encoding", "user-agent"}},
      {"star", {{"Vary", "*"}}, Reason::VaryStar, {}},
      {"star among names", {{"Vary", "Accept, *"}}, Reason::VaryStar, {"accept"}},
      {"no token", {{"Vary", "Accept Encoding"}}, Reason::VaryStar, {}},
      {"written anew by Weir", {{"Vary", "X-Forwarded-For"}}, Reason::VaryStar, {}},
      {"Forwarded", {{"Vary", "Forwarded"}}, Reason::VaryStar, {}},
      {"Via", {{"Vary", "Via"}}, Reason::VaryStar, {}},
      {"of the connection", {{"Vary", "Connection"}}, Reason::VaryStar, {}},
      {"in the key anyway",
       {{"Vary",
         "Host, X-Forwarded-Proto, X-Forwarded-Host, X-Forwarded-Port, X-Forwarded-Prefix, "
         "Accept"}},
       Reason::None,
       {"accept"}},
      {"CORS for one origin",
       {{"Access-Control-Allow-Origin", "https://a.example"}, {"Vary", "Accept"}},
       Reason::None,
       {"accept", "origin"}},
      {"CORS for all", {{"Access-Control-Allow-Origin", "*"}}, Reason::None, {}},
  };
  for (const VaryCase& c : cases) {
    const VaryList list = read_vary(answer(c.lines).fields);
    EXPECT_EQ(list.refusal.reason, c.reason) << c.what;
    EXPECT_EQ(list.names, c.names) << c.what;
    EXPECT_EQ(judge(c.lines, rule_of(60)).refusal.reason, c.reason) << c.what;
  }
}

TEST(PolicyVary, BoundsTheNumberOfNames) {
  // Thirty-two names are compared, more are refused as "*" is.
  std::string names = "n0";
  for (std::size_t i = 1; i < kMaxVaryNames; ++i) names += ", n" + std::to_string(i);
  EXPECT_EQ(judge({{"Vary", names}}, rule_of(60)).vary.size(), kMaxVaryNames);
  EXPECT_EQ(judge({{"Vary", names + ", one-more"}}, rule_of(60)).refusal.reason, Reason::VaryStar);
}

TEST(PolicyVary, OverrideDoesNotSetItAside) {
  // The duration wins over Cache-Control; what an answer depends on is not a matter of duration.
  conf::CacheRule rule = rule_of(60);
  rule.origin = conf::OriginMode::Override;
  EXPECT_EQ(judge({{"Vary", "*"}}, rule).refusal.reason, Reason::VaryStar);
  EXPECT_THAT(judge({{"Vary", "Accept"}}, rule).vary, ElementsAre("accept"));
}

}  // namespace
}  // namespace weir::policy
