// When a fill goes on without readers, and what it leaves behind when it is broken off.
#include "proxy/flow/fill.h"
#include "tests/proxy/flow/flow_fixture.h"

namespace weir::flow {
namespace {

class FillEndTest : public FlowTest {};

// ---- without readers ----

TEST_F(FillEndTest, WithoutReadersItGoesOnOnlyForTheStoreAndNotForEver) {
  struct Case {
    std::string what;
    HeadLines lines;
    http::Framing framing;
    bool goes_on;
  };
  const Case cases[] = {
      {"to be stored, length known", kFreshLines, http::Framing::Length, true},
      {"to be stored, length unknown", kFreshLines, http::Framing::Chunked, false},
      {"not to be stored", {{"Cache-Control", "no-store"}}, http::Framing::Length, false},
  };
  for (const Case& c : cases) {
    const auto visitor = visit("/" + std::to_string(&c - cases));
    app().head(200, c.lines, c.framing, 100);
    turn();
    visitor->leave();
    turn();
    EXPECT_EQ(app().dropped(), !c.goes_on) << c.what;
    EXPECT_EQ(fills_.size(), c.goes_on ? 1U : 0U) << c.what;
    pass_time(60'000);
    EXPECT_TRUE(app().dropped()) << c.what << ": upstream.idle_timeout is over";
    EXPECT_EQ(fills_.size(), 0U) << c.what;
  }
}

TEST_F(FillEndTest, WhatWasKeptOnDuringALookUpDoesNotFlyForEver) {
  // The one who waited had its stale copy while a slow tier was still being asked.
  conf::CacheRule rule;
  rule.stale_after_ms = 200;
  use(rule, Tiers::Slow);
  fill_with("/a", {{"Cache-Control", "max-age=1"}}, "old");
  pass_time(5'000);
  slow_->hold();
  const auto visitor = visit("/a");
  slow_->release();  // its copy; the look-up that follows is held
  turn();
  pass_time(200);
  ASSERT_EQ((*visitor)->read(), "old");
  visitor->leave();
  release_look_up();
  ASSERT_EQ(fills_.size(), 1U);
  const conf::Upstream& upstream = site_->site->config->upstream;
  pass_time(upstream.first_byte_timeout_ms + upstream.idle_timeout_ms);
  EXPECT_EQ(fills_.size(), 0U);
  EXPECT_TRUE(app().dropped());
}

TEST_F(FillEndTest, AFetchThatHasNoConnectionYetIsNotMadeForNobody) {
  const auto visitor = visit("/a");
  app().set_waiting(true);
  visitor->leave();
  turn();
  EXPECT_TRUE(app().dropped());
}

TEST_F(FillEndTest, AFetchForNobodyKeepsNoClientFromTheApp) {
  // It may still bring something for the store, but others wait for its connection.
  for (const bool crowded_first : {true, false}) {
    const auto visitor = visit(crowded_first ? "/a" : "/b");
    app_.set_crowded(crowded_first);
    visitor->leave();
    turn();
    EXPECT_EQ(app().dropped(), crowded_first);
    app_.set_crowded(true);
    pass_time(250);
    EXPECT_TRUE(app().dropped());
    EXPECT_EQ(fills_.size(), 0U);
  }
  // Nor for one who is waited for, or once its answer has begun.
  const auto waits = visit("/c");
  const auto leaves = visit("/d");
  app().head(200, kFreshLines, http::Framing::Length, 4);
  leaves->leave();
  pass_time(1'000);
  EXPECT_EQ(fills_.size(), 2U);
}

// ---- the queue ----

TEST_F(FillEndTest, WaitingForAConnectionMakesNoAnswerOlder) {
  // RFC 9111 4.2.3: response_delay counts from when the request is sent.
  struct Case {
    std::string what;
    std::int64_t waits_ms;
    std::int64_t takes_ms;
    std::string status;
  };
  const Case cases[] = {
      {"queue alone", 5'000, 500, "weir; fwd=uri-miss; stored; ttl=2"},
      {"the app alone", 0, 1'000, "weir; fwd=uri-miss; stored; ttl=1"},
      {"both", 5'000, 1'000, "weir; fwd=uri-miss; stored; ttl=1"},
  };
  for (const Case& c : cases) {
    use({}, Tiers::Ram);
    const auto visitor = visit("/a");
    app().set_waiting(true);
    pass_time(c.waits_ms);
    app().set_waiting(false);
    pass_time(c.takes_ms);
    app().answers(200, {{"Cache-Control", "max-age=2"}}, "page");
    turn();
    EXPECT_EQ((*visitor)->cache_status(), c.status) << c.what;
    EXPECT_EQ((*visitor)->log_notes().upstream_ms, c.takes_ms) << c.what;
  }
}

TEST_F(FillEndTest, ARefreshThatAClientComesToWaitForIsHurried) {
  fill_with("/a", {{"Cache-Control", "max-age=1, stale-while-revalidate=9"}});
  pass_time(2'000);
  EXPECT_THAT(status_now("/a"), testing::HasSubstr("detail=stale-while-revalidate"));
  turn();
  EXPECT_TRUE(app().request().refresh);
  EXPECT_FALSE(app().hurried());
  pass_time(10'000);
  visit("/a")->leave();  // too hastily to be of any account
  turn();
  EXPECT_FALSE(app().hurried());
  const auto visitor = visit("/a");
  turn();
  EXPECT_TRUE(app().hurried());
  app().answers(200, kFreshLines, "new");
  turn();
  EXPECT_EQ((*visitor)->read(), "new");
}

TEST_F(FillEndTest, WhoseBodyComesInHoldsUpOthersWhileTheyWaitForTheApp) {
  const auto visitor = visit("/a");
  EXPECT_FALSE(visitor->transaction().holds_up_others());
  app_.set_crowded(true);
  EXPECT_TRUE(visitor->transaction().holds_up_others());
}

// ---- broken off ----

TEST_F(FillEndTest, BrokenOffInAnyWaitItTellsItsReadersAndLeavesNothing) {
  struct Case {
    std::string wait;
    std::function<void()> until;
    bool answered;
  };
  const Case cases[] = {
      {"look-up", [] {}, false},
      {"head", [this] { release_look_up(); }, false},
      {"body",
       [this] {
         release_look_up();
         app().head(200, kFreshLines, http::Framing::Length, 100);
         app().body("some");
         turn();
       },
       true},
      {"commit",
       [this] {
         slow_->hold_stores();
         release_look_up();
         app().answers(200, kFreshLines, "page");
         turn();
       },
       true},
  };
  for (const Case& c : cases) {
    use({}, Tiers::RamAndSlow);
    slow_->hold();
    const auto visitor = visit("/" + c.wait);
    c.until();
    ASSERT_EQ(fills_.size(), 1U) << c.wait;
    fills_.stop();
    turn();
    (*visitor)->read();
    EXPECT_EQ(fills_.size(), 0U) << c.wait;
    EXPECT_EQ(tables_.flights.size(), 0U) << c.wait;
    EXPECT_EQ(slow_->waiting(), 0U) << c.wait;
    EXPECT_EQ((*visitor)->status(), c.answered ? 200 : 502) << c.wait;
    EXPECT_EQ((*visitor)->cut(), c.wait == "body") << c.wait;
    EXPECT_EQ((*visitor)->complete(), c.wait == "commit") << c.wait;
  }
}

}  // namespace
}  // namespace weir::flow
