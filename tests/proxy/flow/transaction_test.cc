// Every step of a request's way, every wait of it, and what happens when the client leaves in one.
#include "proxy/flow/transaction.h"

#include "tests/proxy/flow/flow_fixture.h"

namespace weir::flow {
namespace {

using Kind = test::ScriptedExchange::Kind;
using testing::HasSubstr;
using testing::StartsWith;

class TransactionTest : public FlowTest {};

// ---- from a store ----

TEST_F(TransactionTest, AMissIsStreamedAndStoredAndThenAHit) {
  const auto first = visit("/a");
  EXPECT_FALSE((*first)->answered());
  ASSERT_EQ(app_.count(), 1U);
  EXPECT_EQ(app().request().target, "/a");
  app().head(200, kFreshLines, http::Framing::Length, 4);
  turn();
  EXPECT_EQ((*first)->cache_status(), "weir; fwd=uri-miss; stored; ttl=60");
  app().body("pa");
  EXPECT_EQ((*first)->read(), "pa");
  app().body("ge");
  app().end();
  turn();
  EXPECT_EQ((*first)->read(), "page");
  EXPECT_TRUE((*first)->complete());

  const auto second = visit("/a");
  EXPECT_EQ((*second)->kind(), Kind::Stored);
  EXPECT_EQ((*second)->cache_status(), "weir; hit; ttl=60");
  EXPECT_EQ((*second)->age_s(), 0);
  EXPECT_EQ((*second)->read(), "page");
  EXPECT_EQ(app_.count(), 1U);
  EXPECT_EQ(fills_.size(), 0U);
}

TEST_F(TransactionTest, AnExpiredCopyIsAskedForAgain) {
  fill_with("/a", kFreshLines);
  pass_time(61'000);
  const auto visitor = visit("/a");
  app().answers(200, kFreshLines, "new");
  turn();
  EXPECT_EQ((*visitor)->cache_status(), "weir; fwd=stale; stored; ttl=60");
  EXPECT_EQ((*visitor)->read(), "new");
}

TEST_F(TransactionTest, AStaleCopyGoesOutWhileItsSuccessorIsFetchedOnce) {
  fill_with("/a", {{"Cache-Control", "max-age=1, stale-while-revalidate=60"}}, "old");
  pass_time(2'000);
  for (int i = 0; i < 3; ++i) {
    const auto visitor = visit("/a");
    EXPECT_THAT((*visitor)->cache_status(), HasSubstr("hit")) << i;
    EXPECT_EQ((*visitor)->read(), "old");
  }
  EXPECT_EQ(app_.count(), 2U) << "one refresh for all";
  app().answers(200, kFreshLines, "new");
  turn();
  EXPECT_EQ(status_now("/a"), "weir; hit; ttl=60");
}

TEST_F(TransactionTest, ACopyThatIsStillGoodIsConfirmedWithoutABody) {
  fill_with("/a", {{"Cache-Control", "max-age=60"}, {"ETag", "\"v1\""}});
  const auto same = visit("/a", "If-None-Match: \"v1\"\r\n");
  EXPECT_EQ((*same)->kind(), Kind::NotModified);
  EXPECT_EQ((*same)->cache_status(), "weir; hit; ttl=60");
  const auto other = visit("/a", "If-None-Match: \"v2\"\r\n");
  EXPECT_EQ((*other)->kind(), Kind::Stored);
  EXPECT_EQ(app_.count(), 1U);
}

TEST_F(TransactionTest, OnlyIfCachedAsksNobody) {
  const auto visitor = visit("/a", "Cache-Control: only-if-cached\r\n");
  EXPECT_EQ((*visitor)->status(), 504);
  EXPECT_EQ((*visitor)->cache_status(), "weir; detail=only-if-cached");
  EXPECT_EQ(app_.count(), 0U);
}

TEST_F(TransactionTest, OnlyIfCachedAsksSlowerTiersAndNotTheApp) {
  const std::string lines = "Cache-Control: only-if-cached\r\n";
  use({}, Tiers::RamAndSlow);
  fill_with("/slow", kFreshLines);
  forget_memory();
  fill_with("/old", {{"Cache-Control", "max-age=1, stale-if-error=60"}});
  pass_time(2'000);
  const std::size_t asked = app_.count();
  slow_->hold();
  const auto found = visit("/slow", lines);
  EXPECT_FALSE((*found)->answered());
  release_look_up();
  EXPECT_EQ((*found)->cache_status(), "weir; hit; ttl=58");
  for (const std::string path : {"/nowhere", "/old"}) {
    const auto visitor = visit(path, lines);
    release_look_up();
    EXPECT_EQ((*visitor)->status(), 504) << path;
    EXPECT_EQ((*visitor)->cache_status(), "weir; detail=only-if-cached") << path;
  }
  EXPECT_EQ(app_.count(), asked);
  EXPECT_EQ(fills_.size(), 0U);
}

TEST_F(TransactionTest, TheRefreshBehindAnOnlyIfCachedClientAsksTheApp) {
  use({}, Tiers::RamAndSlow);
  fill_with("/a", {{"Cache-Control", "max-age=1, stale-while-revalidate=60"}});
  pass_time(2'000);
  forget_memory();
  slow_->hold();
  const std::size_t asked = app_.count();
  const auto visitor = visit("/a", "Cache-Control: only-if-cached\r\n");
  release_look_up();
  EXPECT_EQ((*visitor)->read(), "page");
  ASSERT_EQ(app_.count(), asked + 1);
  app().answers(200, kFreshLines, "new");
  turn();
  EXPECT_EQ(status_now("/a"), "weir; hit; ttl=60");
}

TEST_F(TransactionTest, AMarkerUnderAVariantsNameIsNoAnswer) {
  // What a shared tier may hold: it must neither be sent nor be followed for ever.
  fill_with("/a", {{"Cache-Control", "max-age=60"}, {"Vary", "X-Theme"}});
  const std::unique_ptr<backends::Store> store = backend_->attach(loop_);
  backends::EntryParts marker;
  marker.kind = backends::EntryKind::VaryMarker;
  keys::KeyBuffer key;
  const test::ScriptedExchange exchange(loop_, get("/a"));
  plan_request(exchange.request(), exchange.destination(), *site_->site, key);
  const backends::EntryRef first = store->lookup_now(key.view(), backends::Purpose::Probe);
  ASSERT_EQ(first->kind(), backends::EntryKind::VaryMarker);
  marker.key = std::string(*first->variants().begin());
  marker.hash = hash128(marker.key);
  marker.vary = {"x-theme"};
  marker.meta.lifetime_s = 60;
  marker.meta.response_ms = loop_.now_ms();
  backends::store_unheard(*store, backends::make_entry(std::move(marker)));
  const auto visitor = visit("/a");
  EXPECT_FALSE((*visitor)->answered());
  app().answers(200, kFreshLines, "page");
  turn();
  EXPECT_EQ((*visitor)->read(), "page");
}

TEST_F(TransactionTest, AnOptionsThatMayNotBeForwardedIsAnsweredHere) {
  const auto visitor = sends("OPTIONS /a HTTP/1.1\r\nHost: app.test\r\nMax-Forwards: 0\r\n\r\n");
  EXPECT_EQ((*visitor)->status(), 204);
  EXPECT_EQ(app_.count(), 0U);
}

// ---- the one exit ----

TEST_F(TransactionTest, ARedirectGetsItsLostQueryBackFromAFlightAndFromTheStore) {
  // utm_source is in no key, so the app never sees it; its redirect must keep it all the same.
  conf::CacheRule rule;
  rule.statuses = {conf::StatusRule{}, conf::StatusRule{301, std::nullopt, false}};
  use(rule, Tiers::Ram);
  const HeadLines lines = {{"Location", "/b"}, {"Cache-Control", "max-age=60"}};
  const auto miss = visit("/a?utm_source=x");
  const auto follower = visit("/a?utm_source=z");
  EXPECT_EQ(app().request().target, "/a");
  app().answers(301, lines, "moved");
  turn();
  EXPECT_EQ((*follower)->fields().value(http::FieldId::Location), "/b?utm_source=z");
  EXPECT_EQ((*miss)->fields().value(http::FieldId::Location), "/b?utm_source=x");
  EXPECT_EQ((*miss)->read(), "moved");
  const auto hit = visit("/a?utm_source=y");
  EXPECT_EQ((*hit)->fields().value(http::FieldId::Location), "/b?utm_source=y");
  EXPECT_EQ((*hit)->read(), "moved");
  const auto plain = visit("/a");
  EXPECT_EQ((*plain)->fields().value(http::FieldId::Location), "/b");
  EXPECT_EQ(app_.count(), 1U);
}

TEST_F(TransactionTest, TheReasonIsTheSameInCacheStatusAndInTheLog) {
  struct Case {
    std::string lines;
    HeadLines answer;
    std::string cache_status;
    std::string detail;
    std::string subject;
  };
  const Case cases[] = {
      {"Cookie: sid=1\r\n", {}, "weir; fwd=bypass; detail=cookie", "cookie", "sid"},
      {"",
       {{"Cache-Control", "private"}},
       "weir; fwd=uri-miss; detail=private",
       "private",
       "Cache-Control"},
      {"", {{"Set-Cookie", "a=b"}}, "weir; fwd=uri-miss; detail=set-cookie", "set-cookie", "a"},
  };
  int page = 0;
  for (const Case& c : cases) {
    const std::string path = "/" + std::to_string(++page);
    // Twice: a remembered key reports its original reason.
    for (int i = 0; i < 2; ++i) {
      const auto visitor = visit(path, c.lines);
      app().answers(200, c.answer, "page");
      turn();
      EXPECT_EQ((*visitor)->cache_status(), c.cache_status) << i;
      EXPECT_EQ((*visitor)->log_notes().detail, c.detail) << i;
      EXPECT_EQ((*visitor)->log_notes().subject, c.subject) << i;
    }
  }
}

// ---- flights ----

TEST_F(TransactionTest, WhoComesMeanwhileSharesTheFetch) {
  const auto leader = visit("/a");
  const auto follower = visit("/a");
  EXPECT_EQ(app_.count(), 1U);
  app().answers(200, kFreshLines, "page");
  turn();
  EXPECT_EQ((*leader)->read(), "page");
  EXPECT_EQ((*follower)->read(), "page");
  EXPECT_EQ((*follower)->cache_status(), "weir; fwd=uri-miss; collapsed; ttl=60");
}

TEST_F(TransactionTest, AnAnswerThatIsNotForSharingSendsEachOnItsOwnWay) {
  const auto leader = visit("/a");
  const auto follower = visit("/a");
  app().answers(200, {{"Cache-Control", "private"}}, "for the leader");
  turn();
  EXPECT_EQ((*leader)->read(), "for the leader");
  EXPECT_FALSE((*follower)->answered());
  ASSERT_EQ(app_.count(), 2U);
  app().answers(200, {{"Cache-Control", "private"}}, "for the follower");
  turn();
  EXPECT_EQ((*follower)->read(), "for the follower");
}

TEST_F(TransactionTest, ACookieThatWasWithheldAndIsSetIsAskedForByEachWithAllItHas) {
  conf::CacheRule rule;
  rule.cookies.other = conf::CookieRule::Other::Ignore;
  use(rule, Tiers::Ram);
  const auto visitor = visit("/a", "Cookie: sid=1\r\n");
  EXPECT_FALSE(app().request().fields.has(http::FieldId::Cookie));
  app().answers(200, {{"Set-Cookie", "sid="}}, "logged out");
  turn();
  EXPECT_FALSE((*visitor)->answered()) << "nobody gets that answer";
  ASSERT_EQ(app_.count(), 2U);
  EXPECT_EQ(app().request().fields.value(http::FieldId::Cookie), "sid=1");
  app().answers(200, {}, "welcome back");
  turn();
  EXPECT_EQ((*visitor)->read(), "welcome back");
}

TEST_F(TransactionTest, AFollowerOfAnotherVariantFindsItsOwn) {
  const auto english = visit("/a", "X-Theme: light\r\n");
  const auto other = visit("/a", "X-Theme: dark\r\n");
  app().head(200, {{"Cache-Control", "max-age=60"}, {"Vary", "X-Theme"}}, http::Framing::Length, 5);
  turn();
  EXPECT_FALSE((*other)->answered());
  ASSERT_EQ(app_.count(), 2U) << "its variant is fetched at once";
  app().answers(200, {{"Cache-Control", "max-age=60"}, {"Vary", "X-Theme"}}, "dark!");
  app_.at(0).body("light");
  app_.at(0).end();
  turn();
  EXPECT_EQ((*english)->read(), "light");
  EXPECT_EQ((*other)->read(), "dark!");
  EXPECT_THAT(status_now("/a", "X-Theme: light\r\n"), StartsWith("weir; hit"));
  EXPECT_THAT(status_now("/a", "X-Theme: dark\r\n"), StartsWith("weir; hit"));
}

TEST_F(TransactionTest, TellsItsClientWhenTheAppReadsNoMoreOfABody) {
  const auto upload = sends("POST /up HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\n");
  app().head(200, {}, http::Framing::Length, 4);
  turn();
  EXPECT_EQ((*upload)->bodies_dropped(), 0);
  app().body("page");
  app().end();
  turn();
  EXPECT_EQ((*upload)->bodies_dropped(), 1);
  const auto page = visit("/a");
  app().answers(200, {}, "page");
  turn();
  EXPECT_EQ((*page)->bodies_dropped(), 0);
}

}  // namespace
}  // namespace weir::flow
