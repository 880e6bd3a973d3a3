#include <gtest/gtest.h>

#include "tests/proxy/policy_kit.h"

namespace weir::policy {
namespace {

struct StoreCase {
  std::string what;
  Lines lines;
  Reason reason;
  std::string subject = {};
};

void expect_all(const std::vector<StoreCase>& cases, const conf::CacheRule& rule) {
  for (const StoreCase& c : cases) {
    const StoreVerdict verdict = judge(c.lines, rule);
    EXPECT_EQ(verdict.refusal.reason, c.reason) << c.what;
    EXPECT_EQ(verdict.refusal.subject, c.subject) << c.what;
    EXPECT_EQ(verdict.shareable, c.reason == Reason::None) << c.what;
  }
}

TEST(PolicyStorable, ObeysResponseDirectives) {
  // RFC 9111 5.2.2, one row a directive.
  expect_all(
      {{"no directive", {}, Reason::None},
       {"no-store", {{"Cache-Control", "no-store"}}, Reason::NoStore, "Cache-Control"},
       {"in any case", {{"cache-control", "NO-STORE"}}, Reason::NoStore, "Cache-Control"},
       {"in a second line",
        {{"Cache-Control", "max-age=60"}, {"Cache-Control", "no-store"}},
        Reason::NoStore,
        "Cache-Control"},
       {"private", {{"Cache-Control", "private"}}, Reason::Private, "Cache-Control"},
       {"private of some fields",
        {{"Cache-Control", "private=\"x-user\", max-age=60"}},
        Reason::Private,
        "Cache-Control"},
       {"private beats public",
        {{"Cache-Control", "public, private"}},
        Reason::Private,
        "Cache-Control"},
       {"no-cache", {{"Cache-Control", "no-cache, max-age=60"}}, Reason::NoCache, "Cache-Control"},
       {"Pragma means nothing (RFC 9111 5.4)", {{"Pragma", "no-cache"}}, Reason::None},
       {"an unknown directive (5.2.3)", {{"Cache-Control", "x-no=1"}}, Reason::None}},
      rule_of(60));
}

TEST(PolicyStorable, WithholdsFieldsOfQualifiedNoCache) {
  // RFC 9111 5.2.2.4: a named field that is there must not be reused, so nothing is stored.
  const std::string named = "no-cache=\"X-User, Set-Cookie\"";
  expect_all({{"absent", {{"Cache-Control", named}}, Reason::None},
              {"present", {{"Cache-Control", named}, {"x-user", "7"}}, Reason::NoCache, "x-user"},
              {"a cookie",
               {{"Cache-Control", named}, {"Set-Cookie", "a=b"}},
               Reason::NoCache,
               "set-cookie"}},
             rule_of(60));
  conf::CacheRule strip = rule_of(60);
  strip.set_cookie.mode = conf::SetCookieRule::Mode::StripAll;
  expect_all({{"a cookie that is stripped",
               {{"Cache-Control", "no-cache=\"set-cookie\""}, {"Set-Cookie", "a=b"}},
               Reason::None}},
             strip);
}

TEST(PolicyStorable, MustUnderstandReplacesNoStore) {
  // RFC 9111 5.2.2.3: no-store is ignored for a status that is understood, and only for such a one.
  const Lines lines = {{"Cache-Control", "must-understand, no-store, max-age=60"}};
  conf::CacheRule rule = rule_of(60);
  rule.statuses = {{200, std::nullopt, false}, {299, std::nullopt, false}};
  EXPECT_EQ(judge_response(answer(lines), context_of(rule)).refusal.reason, Reason::None);
  const StoreVerdict unknown = judge_response(answer(lines, 299), context_of(rule));
  EXPECT_EQ(unknown.refusal.reason, Reason::Status);
  EXPECT_EQ(unknown.refusal.subject, "must-understand");
  EXPECT_EQ(judge_response(answer({}, 299), context_of(rule)).refusal.reason, Reason::None);
}

TEST(PolicyStorable, TargetedFieldReplacesCacheControl) {
  // RFC 9213 2.2: a valid CDN-Cache-Control makes Cache-Control and Expires count for nothing.
  const Lines cases[] = {
      {{"CDN-Cache-Control", "max-age=60"}, {"Cache-Control", "no-store, private"}},
      {{"CDN-Cache-Control", "max-age=60"}, {"Expires", "0"}},
      {{"CDN-Cache-Control", "max-age=60"}, {"Cache-Control", "no-cache, max-age=0"}},
  };
  for (const Lines& lines : cases) {
    EXPECT_EQ(judge(lines, rule_of(5)).refusal.reason, Reason::None);
    EXPECT_EQ(judge(lines, rule_of(5)).ttl_s, 60);
  }
  expect_all(
      {{"its no-store",
        {{"CDN-Cache-Control", "no-store"}, {"Cache-Control", "max-age=60"}},
        Reason::NoStore,
        "CDN-Cache-Control"},
       {"its private",
        {{"CDN-Cache-Control", "private"}, {"Cache-Control", "max-age=60"}},
        Reason::Private,
        "CDN-Cache-Control"},
       {"its no-cache", {{"CDN-Cache-Control", "no-cache"}}, Reason::NoCache, "CDN-Cache-Control"},
       {"malformed: as if absent",
        {{"CDN-Cache-Control", "max-age=60,,"}, {"Cache-Control", "no-store"}},
        Reason::NoStore,
        "Cache-Control"},
       {"empty: as if absent",
        {{"CDN-Cache-Control", ""}, {"Cache-Control", "no-store"}},
        Reason::NoStore,
        "Cache-Control"}},
      rule_of(5));
}

TEST(PolicyStorable, OnlyTheAnswerToAGet) {
  // A HEAD's answer has no body to store, and no other method is cached.
  const conf::CacheRule rule = rule_of(60);
  ResponseContext context = context_of(rule);
  for (const http::Method method : {http::Method::Head, http::Method::Post, http::Method::Query}) {
    context.method = method;
    EXPECT_EQ(judge_response(answer({}), context).refusal.reason, Reason::Method);
  }
}

TEST(PolicyStorable, StatusesAreTheRules) {
  // Only listed statuses; partial, conditional and per-client ones never, listed or not.
  conf::CacheRule rule = rule_of(60);
  EXPECT_EQ(judge_response(answer({}, 404), context_of(rule)).refusal.reason, Reason::Status);
  EXPECT_EQ(judge_response(answer({}, 404), context_of(rule)).refusal.subject, "404");
  for (const int never : {101, 206, 304, 400, 401, 408, 413, 416, 429, 431}) {
    rule.statuses.push_back({never, std::nullopt, false});
    EXPECT_EQ(judge_response(answer({{"Cache-Control", "max-age=60"}}, never), context_of(rule))
                  .refusal.reason,
              Reason::Status)
        << never;
  }
  const Lines partial = {{"Content-Range", "bytes 0-9/100"}};
  EXPECT_EQ(judge(partial, rule).refusal.subject, "Content-Range");
}

TEST(PolicyStorable, AStatusMayHaveItsOwnDuration) {
  // `{404: 10s, 410: explicit, 503: explicit}`; the app's own word still comes first.
  conf::CacheRule rule = rule_of(60);
  rule.statuses = {{200, std::nullopt, false},
                   {404, 10, false},
                   {410, std::nullopt, true},
                   {503, std::nullopt, true}};
  const auto at = [&](int status, const Lines& lines) {
    return judge_response(answer(lines, status), context_of(rule));
  };
  EXPECT_EQ(at(200, {}).ttl_s, 60);
  EXPECT_EQ(at(404, {}).ttl_s, 10);
  EXPECT_EQ(at(404, {{"Cache-Control", "max-age=99"}}).ttl_s, 99);
  EXPECT_EQ(at(410, {}).refusal.reason, Reason::NoTtl);
  EXPECT_EQ(at(410, {{"Cache-Control", "max-age=7"}}).ttl_s, 7);
  EXPECT_EQ(at(503, {}).refusal.reason, Reason::NoTtl);
  EXPECT_EQ(at(503, {{"Cache-Control", "max-age=7"}}).ttl_s, 7);
}

TEST(PolicyStorable, ServerErrorsNeedTheAppsOwnFreshness) {
  // Neither a duration nor `override` makes a failure last.
  conf::CacheRule rule = rule_of(60);
  rule.statuses = {{200, std::nullopt, false}, {500, 30, false}};
  EXPECT_EQ(judge_response(answer({}, 500), context_of(rule)).refusal.reason, Reason::NoTtl);
  rule.origin = conf::OriginMode::Override;
  EXPECT_EQ(judge_response(answer({}, 500), context_of(rule)).refusal.reason, Reason::NoTtl);
  const Lines lines = {{"Cache-Control", "max-age=5"}};
  EXPECT_EQ(judge_response(answer(lines, 500), context_of(rule)).ttl_s, 5);
}

TEST(PolicyStorable, BodiesMustBeWholeAndFit) {
  // RFC 9112 8: what only the connection's end delimits may be cut; what is too long is not stored.
  const conf::CacheRule rule = rule_of(60);
  http::ResponseHead head = answer({});
  head.framing = http::Framing::UntilClose;
  EXPECT_EQ(judge_response(head, context_of(rule)).refusal.reason, Reason::Truncated);
  head.framing = http::Framing::Length;
  head.content_length = 1001;
  EXPECT_EQ(judge_response(head, context_of(rule)).refusal.reason, Reason::TooLarge);
  EXPECT_EQ(judge_response(head, context_of(rule)).refusal.subject, "1001");
  head.content_length = 1000;
  EXPECT_EQ(judge_response(head, context_of(rule)).refusal.reason, Reason::None);
  head.framing = http::Framing::Chunked;
  EXPECT_EQ(judge_response(head, context_of(rule)).refusal.reason, Reason::None);
  head.framing = http::Framing::None;
  EXPECT_EQ(judge_response(head, context_of(rule)).refusal.reason, Reason::None);
}

TEST(PolicyStorable, EndlessTypesStream) {
  // Types that never end are not waited for; lists by the line do end.
  const std::pair<const char*, Reason> cases[] = {
      {"text/event-stream", Reason::Stream},
      {"Text/Event-Stream; charset=utf-8", Reason::Stream},
      {"multipart/x-mixed-replace; boundary=x", Reason::Stream},
      {"application/grpc+proto", Reason::Stream},
      {"application/x-ndjson", Reason::None},
      {"multipart/byteranges", Reason::None},
      {"text/html", Reason::None},
  };
  for (const auto& [type, reason] : cases) {
    EXPECT_EQ(judge({{"Content-Type", type}}, rule_of(60)).refusal.reason, reason) << type;
  }
}

TEST(PolicyStorable, PersonalRequestsStoreOnlyWhatIsForAll) {
  // RFC 9111 3.5 as rule 4 has it: public, s-maxage or CDN-Cache-Control's max-age.
  const std::pair<Lines, Reason> cases[] = {
      {{}, Reason::Session},
      {{{"Cache-Control", "max-age=60"}}, Reason::Session},
      {{{"Cache-Control", "max-age=60, must-revalidate"}}, Reason::Session},
      {{{"Cache-Control", "public"}}, Reason::None},
      {{{"Cache-Control", "s-maxage=60"}}, Reason::None},
      {{{"CDN-Cache-Control", "max-age=60"}}, Reason::None},
      {{{"CDN-Cache-Control", "must-revalidate"}, {"Cache-Control", "public"}}, Reason::Session},
      {{{"Cache-Control", "public, no-store"}}, Reason::NoStore},
      {{{"Cache-Control", "public"}, {"Set-Cookie", "a=b"}}, Reason::SetCookie},
  };
  const conf::CacheRule rule = rule_of(60);
  for (const auto& [lines, reason] : cases) {
    const StoreVerdict verdict =
        judge_response(answer(lines), personal(rule, Reason::Session, "sid"));
    EXPECT_EQ(verdict.refusal.reason, reason);
    EXPECT_EQ(verdict.refusal.subject == "sid", reason == Reason::Session);
    EXPECT_EQ(verdict.meta.shared_with_personal, reason == Reason::None);
  }
}

TEST(PolicyStorable, NoSettingAdmitsACookieThatAPersonalRequestWasSet) {
  // What was meant for one visitor is stored for nobody, and what another was set is not read by
  // him: whatever the rule strips, and whatever the answer calls itself.
  using Mode = conf::SetCookieRule::Mode;
  const std::pair<Mode, std::vector<std::string>> settings[] = {
      {Mode::Refuse, {}},        {Mode::StripAll, {}}, {Mode::StripNames, {"_*_session"}},
      {Mode::StripNames, {"*"}}, {Mode::Store, {}},
  };
  const Lines words[] = {
      {{"Cache-Control", "public, max-age=60"}},
      {{"Cache-Control", "s-maxage=60"}},
      {{"CDN-Cache-Control", "max-age=60"}},
      {{"Cache-Control", "public, no-cache=\"set-cookie\""}},
  };
  for (const auto& [mode, names] : settings) {
    conf::CacheRule rule = rule_of(60);
    rule.set_cookie = {mode, names};
    for (Lines lines : words) {
      SCOPED_TRACE(lines[0].second + " under mode " + std::to_string(static_cast<int>(mode)));
      lines.emplace_back("Set-Cookie", "_app_session=1; HttpOnly");
      const StoreVerdict own = judge_response(answer(lines), personal(rule));
      EXPECT_EQ(own.refusal.reason, lines[0].second.contains("no-cache") && mode != Mode::StripAll
                                        ? Reason::NoCache
                                        : Reason::SetCookie);
      EXPECT_TRUE(own.strip_cookies.empty() && !own.strip_all_cookies) << "the visitor's own goes";
      EXPECT_FALSE(judge(lines, rule).meta.shared_with_personal);
    }
  }
}

TEST(PolicyStorable, OriginNeverAdmitsPersonalAnswers) {
  // What override or framework set aside is never stored for, nor read by, personal requests.
  conf::CacheRule rule = rule_of(60);
  rule.origin = conf::OriginMode::Override;
  const Lines shared = {{"Cache-Control", "public, max-age=60"}};
  EXPECT_EQ(judge_response(answer(shared), personal(rule)).refusal.reason, Reason::Cookie);
  EXPECT_FALSE(judge(shared, rule).meta.shared_with_personal);
  rule.origin = conf::OriginMode::Framework;
  const Lines untouched = {{"Cache-Control", "no-cache, private"}};
  EXPECT_EQ(judge_response(answer(untouched), personal(rule)).refusal.reason, Reason::Cookie);
  EXPECT_EQ(judge(untouched, rule).refusal.reason, Reason::None);
  EXPECT_FALSE(judge(untouched, rule).meta.shared_with_personal);
  EXPECT_TRUE(judge(shared, rule).meta.shared_with_personal);
}

TEST(PolicyStorable, BypassedRequestsStoreNothing) {
  // Whatever the answer says.
  const conf::CacheRule rule = rule_of(60);
  ResponseContext context = personal(rule, Reason::Body, "");
  context.request_class = RequestClass::Bypass;
  EXPECT_EQ(judge_response(answer({{"Cache-Control", "public"}}), context).refusal.reason,
            Reason::Body);
  context.rule = nullptr;
  EXPECT_EQ(judge_response(answer({}), context).refusal.reason, Reason::RouteOff);
}

TEST(PolicyStorable, FilesThatAreNoFilesAreNotStored) {
  // The armour looks at what was answered under a file's name, unless it is off or an error.
  conf::CacheRule rule = rule_of(60);
  rule.statuses.push_back({404, 10, false});
  ResponseContext context = context_of(rule);
  context.path = "/account/x.css";
  const Lines page = {{"Content-Type", "text/html"}};
  EXPECT_EQ(judge_response(answer(page), context).refusal.reason, Reason::Armor);
  EXPECT_EQ(judge_response(answer(page), context).refusal.subject, ".css");
  EXPECT_EQ(judge_response(answer(page, 404), context).refusal.reason, Reason::None);
  rule.armor = false;
  EXPECT_EQ(judge_response(answer(page), context).refusal.reason, Reason::None);
}

}  // namespace
}  // namespace weir::policy
