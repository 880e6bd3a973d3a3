// The machine behind a flight: look-up, ask, head, body, commit; every wait of it, and what it
// leaves behind when it is broken off in one.
#include "proxy/flow/fill.h"

#include "tests/proxy/flow/flow_fixture.h"

namespace weir::flow {
namespace {

using Kind = test::ScriptedExchange::Kind;
using backends::StoreResult;
using testing::HasSubstr;
using testing::StartsWith;

class FillTest : public FlowTest {
 protected:
  // Has an answer in the slow tier only: what a restart, or another instance, leaves there.
  void put_in_slow_tier(const std::string& target, const HeadLines& lines,
                        const std::string& request_lines = "") {
    use({}, Tiers::RamAndSlow);
    {
      const auto visitor = visit(target, request_lines);
      turn();
      app().answers(200, lines, "page");
      turn();
    }
    forget_memory();
    slow_->hold();
    asked_before_ = app_.count();
  }
  std::size_t asked_since() const { return app_.count() - asked_before_; }

  std::size_t asked_before_ = 0;
};

// ---- look-up ----

TEST_F(FillTest, TheAppIsAskedOnceTheSlowTierHasNothing) {
  use({}, Tiers::RamAndSlow);
  slow_->hold();
  const auto leader = visit("/a");
  const auto follower = visit("/a");
  EXPECT_EQ(slow_->waiting(), 1U) << "one look-up for all";
  EXPECT_EQ(app_.count(), 0U);
  release_look_up();
  ASSERT_EQ(app_.count(), 1U);
  app().answers(200, kFreshLines, "page");
  turn();
  EXPECT_EQ((*leader)->read(), "page");
  EXPECT_EQ((*follower)->read(), "page");
}

TEST_F(FillTest, WhatTheSlowTierHasIsAHitForAllWhoWait) {
  put_in_slow_tier("/a", kFreshLines);
  const auto leader = visit("/a");
  const auto follower = visit("/a");
  release_look_up();
  EXPECT_EQ((*leader)->cache_status(), "weir; hit; ttl=60");
  EXPECT_EQ((*follower)->cache_status(), "weir; hit; ttl=60");
  EXPECT_EQ((*leader)->read(), "page");
  EXPECT_EQ((*follower)->read(), "page");
  EXPECT_EQ(asked_since(), 0U);
  EXPECT_EQ(tables_.flights.size(), 0U);
  EXPECT_EQ(tables_.budget.used(), 0U) << "what rests in a store is not being fetched";
}

TEST_F(FillTest, WhatTheSlowTierHasInVainIsFetched) {
  struct Case {
    std::string what;
    HeadLines stored;
    std::int64_t later_ms;
  };
  const Case cases[] = {
      {"expired", {{"Cache-Control", "max-age=1"}}, 2'000},
      {"in a coding that the client cannot read",
       {{"Cache-Control", "max-age=60"}, {"Content-Encoding", "br"}},
       0},
  };
  for (const Case& c : cases) {
    put_in_slow_tier("/a", c.stored, "Accept-Encoding: br\r\n");
    pass_time(c.later_ms);
    const auto visitor = visit("/a");
    release_look_up();
    ASSERT_EQ(asked_since(), 1U) << c.what;
    app().answers(200, kFreshLines, "new");
    turn();
    EXPECT_EQ((*visitor)->read(), "new") << c.what;
  }
}

TEST_F(FillTest, AStaleCopyInTheSlowTierStandsInForAnAppThatFails) {
  put_in_slow_tier("/a", {{"Cache-Control", "max-age=1, stale-if-error=60"}});
  pass_time(2'000);
  const auto visitor = visit("/a");
  release_look_up();
  ASSERT_EQ(asked_since(), 1U);
  app().end(upstream::FetchResult::Refused);
  turn();
  EXPECT_THAT((*visitor)->cache_status(), HasSubstr("detail=stale-if-error"));
  EXPECT_EQ((*visitor)->read(), "page");
}

TEST_F(FillTest, ACopyThatStaysStaleIsNotFoundAgainForEver) {
  // A slow tier makes an entry anew each time it is asked: it is no other copy for that.
  struct Case {
    std::string lines;
    bool served_first;
  };
  for (const Case& c : {Case{"max-age=1, stale-if-error=60", false},
                        Case{"max-age=1, stale-while-revalidate=60", true}}) {
    put_in_slow_tier("/a", {{"Cache-Control", c.lines}});
    pass_time(2'000);
    const auto visitor = visit("/a");
    for (int i = 0; i < 5; ++i) release_look_up();
    EXPECT_EQ((*visitor)->answered(), c.served_first) << c.lines;
    ASSERT_EQ(asked_since(), 1U) << c.lines;
    app().answers(200, kFreshLines, "new");
    turn();
    EXPECT_EQ(status_now("/a"), "weir; hit; ttl=60") << c.lines;
  }
}

TEST_F(FillTest, WhatTheSlowTierHasCountsAsOneHitAndMovesIntoMemory) {
  put_in_slow_tier("/a", kFreshLines);
  const auto before = backend_->stats();
  const auto visitor = visit("/a");
  release_look_up();
  EXPECT_EQ(backend_->stats().hits, before.hits + 1);
  EXPECT_EQ(backend_->stats().misses, before.misses);
  EXPECT_EQ(status_now("/a"), "weir; hit; ttl=60") << "at once";
  const auto nowhere = visit("/b");
  release_look_up();
  EXPECT_EQ(backend_->stats().misses, before.misses + 1);
  EXPECT_EQ(backend_->stats().hits, before.hits + 2);
}

TEST_F(FillTest, AMarkerInTheSlowTierLeadsToTheRequestsVariant) {
  const HeadLines varied = {{"Cache-Control", "max-age=60"}, {"Vary", "X-Theme"}};
  put_in_slow_tier("/a", varied, "X-Theme: light\r\n");
  const auto light = visit("/a", "X-Theme: light\r\n");
  const auto dark = visit("/a", "X-Theme: dark\r\n");
  release_look_up();
  EXPECT_EQ((*light)->cache_status(), "weir; hit; ttl=60");
  EXPECT_EQ((*light)->read(), "page");
  ASSERT_EQ(asked_since(), 1U) << "the other variant is in no store";
  app().answers(200, varied, "dark");
  turn();
  EXPECT_EQ((*dark)->read(), "dark");
}

TEST_F(FillTest, AHeadRequestIsAnsweredFromTheSlowTierToo) {
  put_in_slow_tier("/a", kFreshLines);
  const auto visitor = sends("HEAD /a HTTP/1.1\r\nHost: app.test\r\n\r\n");
  release_look_up();
  EXPECT_EQ((*visitor)->kind(), Kind::Stored);
  EXPECT_EQ(asked_since(), 0U);
}

TEST_F(FillTest, ALookUpThatNobodyWaitsForIsCancelled) {
  use({}, Tiers::RamAndSlow);
  slow_->hold();
  const auto visitor = visit("/a");
  ASSERT_EQ(slow_->waiting(), 1U);
  visitor->leave();
  turn();
  EXPECT_EQ(slow_->waiting(), 0U);
  EXPECT_EQ(fills_.size(), 0U);
}

// ---- the head: what is said of it is true ----

TEST_F(FillTest, StoredIsSaidOnlyOfWhatTheStoreHasAdmitted) {
  struct Case {
    StoreResult refusal;
    std::string subject;
  };
  for (const Case& c :
       {Case{StoreResult::TooLarge, "max_object_size"}, Case{StoreResult::NoRoom, "no room"},
        Case{StoreResult::Failed, "the backend cannot store now"}}) {
    use({}, Tiers::Slow);
    slow_->refuse(c.refusal);
    const std::string path = "/" + c.subject.substr(0, 2);
    const auto visitor = visit(path);
    turn();
    app().answers(200, kFreshLines, "page");
    turn();
    EXPECT_EQ((*visitor)->cache_status(), "weir; fwd=uri-miss; detail=too-large");
    EXPECT_EQ((*visitor)->log_notes().subject, c.subject);
    EXPECT_EQ((*visitor)->read(), "page");
    EXPECT_EQ(slow_->stats().stores, 0U);
  }
}

TEST_F(FillTest, RoomIsKeptWhileTheBodyArrivesAndGivenBackWhenItBreaksOff) {
  use({}, Tiers::Slow);
  const auto visitor = visit("/a");
  turn();
  app().head(200, kFreshLines, http::Framing::Length, 100);
  app().body("some");
  EXPECT_EQ(slow_->reserved(), 1);
  app().end(upstream::FetchResult::Broken);
  turn();
  EXPECT_EQ(slow_->reserved(), 0);
  EXPECT_EQ((*visitor)->read(), "some");
  EXPECT_TRUE((*visitor)->cut());
  EXPECT_EQ(slow_->stats().stores, 0U);
}

// ---- the body ----

TEST_F(FillTest, WhatOutgrowsTheStoreIsRememberedAndSaysSoFromTheSecondTimeOn) {
  const std::string large(kMaxObjectSize + 1, 'x');
  {
    const auto visitor = visit("/a");
    app().head(200, kFreshLines, http::Framing::Chunked);
    turn();
    EXPECT_EQ((*visitor)->cache_status(), "weir; fwd=uri-miss; stored; ttl=60");
    app().body(large);
    app().end();
    turn();
    EXPECT_EQ((*visitor)->read(), large);
  }
  const auto visitor = visit("/a");
  app().head(200, kFreshLines, http::Framing::Chunked);
  turn();
  EXPECT_EQ((*visitor)->cache_status(), "weir; fwd=uri-miss; detail=too-large");
  EXPECT_EQ((*visitor)->log_notes().subject, "more than " + std::to_string(kMaxObjectSize));
}

TEST_F(FillTest, WhoFellBehindHasAFetchOfItsOwnNextTime) {
  // Also where the reason was one of the moment: fill_memory is used up here.
  const auto slow = visit("/a");
  const auto fast = visit("/a");
  app().head(200, kFreshLines, http::Framing::Chunked);
  turn();
  tables_.budget.take(kFillMemory - 1000);
  for (int i = 0; i < 20; ++i) {
    app().body(std::string(32 * 1024, 'x'));
    turn();
    (*fast)->read();
    turn();
  }
  (*slow)->read();
  EXPECT_TRUE((*slow)->cut());
  EXPECT_FALSE((*fast)->cut());
  tables_.budget.give(kFillMemory - 1000);
  const auto again = visit("/a");
  app().head(200, kFreshLines, http::Framing::Chunked);
  turn();
  EXPECT_EQ((*again)->cache_status(), "weir; fwd=uri-miss; detail=too-large");
}

TEST_F(FillTest, AReaderWhoIsSlowHoldsUpOnlyWhatIsNotStored) {
  const auto visitor = visit("/a");
  app().head(200, {{"Cache-Control", "no-store"}}, http::Framing::Chunked);
  app().body(std::string(2 * Flight::kWindowBytes, 'x'));
  EXPECT_TRUE(app().paused());
  turn();
  (*visitor)->read();
  turn();
  EXPECT_FALSE(app().paused());
}

TEST_F(FillTest, AMomentWithoutRoomIsNotRememberedAgainstItsUrl) {
  struct Case {
    std::string what;
    std::function<void()> make_short;
    std::function<void()> make_room;
    http::Framing framing;
  };
  const auto take = [this] { tables_.budget.take(kFillMemory - 1000); };
  const auto give = [this] { tables_.budget.give(kFillMemory - 1000); };
  const Case cases[] = {
      {"fill_memory, length known", take, give, http::Framing::Length},
      {"fill_memory, length unknown", take, give, http::Framing::Chunked},
      {"the store", [this] { slow_->refuse(StoreResult::NoRoom); },
       [this] { slow_->refuse(std::nullopt); }, http::Framing::Length},
  };
  for (const Case& c : cases) {
    use({}, Tiers::Slow);
    const std::string body(50'000, 'x');
    for (const bool is_short : {true, false}) {
      if (is_short) c.make_short();
      const auto visitor = visit("/a");
      turn();
      app().head(200, kFreshLines, c.framing, body.size());
      app().body(body);
      app().end();
      turn();
      EXPECT_EQ((*visitor)->read(), body) << c.what;
      if (is_short) c.make_room();
      EXPECT_EQ(slow_->stats().stores, is_short ? 0U : 1U) << c.what;
    }
  }
}

// ---- commit ----

TEST_F(FillTest, ReadersHaveTheEndAtOnceAndTheFlightStaysUntilTheStoreHasReported) {
  use({}, Tiers::Slow);
  slow_->hold_stores();
  const auto first = visit("/a");
  turn();
  app().answers(200, kFreshLines, "page");
  turn();
  EXPECT_EQ((*first)->read(), "page");
  EXPECT_TRUE((*first)->complete());
  const auto second = visit("/a");
  turn();
  EXPECT_EQ((*second)->read(), "page") << "who comes meanwhile follows, and asks nobody";
  EXPECT_EQ(app_.count(), 1U);
  EXPECT_EQ(tables_.flights.size(), 1U);
  first->leave();
  second->leave();
  turn();
  EXPECT_EQ(fills_.size(), 1U) << "it waits for the store, read or not";
  slow_->release_stores();
  turn();
  EXPECT_EQ(fills_.size(), 0U);
  EXPECT_EQ(tables_.flights.size(), 0U);
  EXPECT_EQ(tables_.budget.used(), 0U);
}

TEST_F(FillTest, OnceStoredReadersReadTheEntryAndFillMemoryIsFree) {
  const std::string body(100'000, 'x');
  const auto slow_reader = visit("/a");
  app().head(200, kFreshLines, http::Framing::Length, body.size());
  app().body(std::string_view(body).substr(0, 60'000));
  turn();
  (*slow_reader)->read(10'000);
  EXPECT_GE(tables_.budget.used(), body.size());
  app().body(std::string_view(body).substr(60'000));
  app().end();
  turn();
  EXPECT_EQ(tables_.budget.used(), 0U);
  EXPECT_EQ((*slow_reader)->read(), body);
  EXPECT_TRUE((*slow_reader)->complete());
}

TEST_F(FillTest, FillMemoryCountsWhatOnlyItsReadersKeepInMemory) {
  // Stored on a slow tier alone: the entry in memory is on no store's account.
  use({}, Tiers::Slow);
  const std::string body(100'000, 'x');
  const auto slow_reader = visit("/a");
  turn();
  app().answers(200, kFreshLines, body);
  turn();
  ASSERT_EQ(slow_->stats().stores, 1U);
  EXPECT_EQ(tables_.budget.used(), body.size());
  EXPECT_EQ((*slow_reader)->read(), body);
  slow_reader->leave();
  EXPECT_EQ(tables_.budget.used(), 0U);
}

TEST_F(FillTest, AStoreThatFailsAfterAllIsToldAndRemembered) {
  use({}, Tiers::Slow);
  slow_->hold_stores();
  const auto visitor = visit("/a");
  turn();
  app().answers(200, kFreshLines, "page");
  slow_->release_stores(StoreResult::NoRoom);
  turn();
  EXPECT_EQ((*visitor)->read(), "page");
  EXPECT_EQ(fills_.size(), 0U);
  const auto again = visit("/a");
  turn();
  app().head(200, kFreshLines, http::Framing::Chunked);
  turn();
  EXPECT_THAT((*again)->cache_status(), HasSubstr("detail=too-large"));
}

}  // namespace
}  // namespace weir::flow
