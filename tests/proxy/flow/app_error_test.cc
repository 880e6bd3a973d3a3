// While the app fails: what those who wait get, and how often it is asked.
#include "tests/proxy/flow/flow_fixture.h"

namespace weir::flow {
namespace {

using testing::HasSubstr;

class AppErrorTest : public FlowTest {};

TEST_F(AppErrorTest, WeirsOwnFailureIsTheAnswerOfAllWhoWait) {
  const auto leader = visit("/a");
  const auto follower = visit("/a");
  app().end(upstream::FetchResult::Timeout);
  turn();
  for (const auto* visitor : {&leader, &follower}) {
    EXPECT_EQ((**visitor)->status(), 504);
    EXPECT_THAT((**visitor)->cache_status(), HasSubstr("detail=upstream-timeout"));
  }
}

TEST_F(AppErrorTest, AStaleCopyStandsInForAnAppThatFails) {
  for (const bool answers_500 : {true, false}) {
    const std::string path = answers_500 ? "/answers" : "/breaks";
    fill_with(path, {{"Cache-Control", "max-age=1, stale-if-error=60"}}, "old");
    pass_time(2'000);
    const auto visitor = visit(path);
    answers_500 ? app().answers(500, {}, "down") : app().end(upstream::FetchResult::Broken);
    turn();
    EXPECT_THAT((*visitor)->cache_status(), HasSubstr("detail=stale-if-error"));
    EXPECT_EQ((*visitor)->read(), "old");
  }
}

TEST_F(AppErrorTest, ACopyIsAsOldAsItIsWhenTheAppHasFailed) {
  // Its age is told, and its window asked, at that moment, not when the request came.
  struct Case {
    std::int64_t waited_ms;
    std::string cache_status;
    std::int64_t age_s;
  };
  const Case cases[] = {
      {20'000, "weir; fwd=stale; fwd-status=504; ttl=-21; detail=stale-if-error", 22},
      {60'000, "weir; fwd=stale; detail=upstream-timeout", -1},
  };
  for (const Case& c : cases) {
    const std::string path = "/" + std::to_string(c.waited_ms);
    fill_with(path, {{"Cache-Control", "max-age=1, stale-if-error=60"}}, "old");
    pass_time(2'000);
    const auto visitor = visit(path);
    pass_time(c.waited_ms);
    app().end(upstream::FetchResult::Timeout);
    turn();
    EXPECT_EQ((*visitor)->cache_status(), c.cache_status);
    if (c.age_s >= 0) {
      EXPECT_EQ((*visitor)->age_s(), c.age_s);
    }
  }
}

TEST_F(AppErrorTest, AfterA500OneAsksAgainForAll) {
  // Whatever that brings: nobody waits for a third answer, and nobody sees another's.
  struct Case {
    std::string what;
    std::function<void()> second;
    int status;
    std::string body;  // what those who follow see; empty: Weir's own short one
    std::string cache_status;
  };
  const auto answers = [this](int status, const HeadLines& lines) {
    return [this, status, lines] { app().answers(status, lines, "second"); };
  };
  const Case cases[] = {
      {"up again", answers(200, kFreshLines), 200, "second",
       "weir; fwd=uri-miss; collapsed; ttl=60"},
      {"the app's own error", answers(503, {}), 503, "second",
       "weir; fwd=uri-miss; collapsed; detail=status"},
      {"sets a cookie", answers(500, {{"Set-Cookie", "a=b"}}), 500, "",
       "weir; fwd=uri-miss; collapsed; detail=status"},
      {"private", answers(500, {{"Cache-Control", "private"}}), 500, "",
       "weir; fwd=uri-miss; collapsed; detail=status"},
      {"no-store", answers(500, {{"Cache-Control", "no-store"}}), 500, "",
       "weir; fwd=uri-miss; collapsed; detail=status"},
      {"depends on a field", answers(500, {{"Vary", "X-Tenant"}}), 500, "",
       "weir; fwd=uri-miss; collapsed; detail=status"},
      {"is for one origin", answers(500, {{"Access-Control-Allow-Origin", "https://a.test"}}), 500,
       "", "weir; fwd=uri-miss; collapsed; detail=status"},
      {"depends on codings", answers(500, {{"Vary", "Accept-Encoding"}}), 500, "second",
       "weir; fwd=uri-miss; collapsed; detail=status"},
      {"in a coding that they cannot read", answers(500, {{"Content-Encoding", "br"}}), 500, "",
       "weir; fwd=uri-miss; collapsed; detail=status"},
      {"broken", [this] { app().end(upstream::FetchResult::Broken); }, 502, "",
       "weir; fwd=uri-miss; collapsed; detail=upstream-error"},
  };
  for (const Case& c : cases) {
    use({}, Tiers::Ram);
    const std::size_t before = app_.count();
    std::vector<std::unique_ptr<Visitor>> crowd;
    for (int i = 0; i < 7; ++i) crowd.push_back(visit("/a"));
    EXPECT_EQ(app_.count(), before + 1);
    app().answers(500, {}, "first");
    turn();
    EXPECT_EQ((*crowd[0])->read(), "first");
    ASSERT_EQ(app_.count(), before + 2) << c.what;
    const auto late = visit("/a");  // waits for the second one only
    c.second();
    turn();
    for (std::size_t i = 2; i < 7; ++i) {
      EXPECT_EQ((*crowd[i])->status(), c.status) << c.what;
      EXPECT_EQ((*crowd[i])->read(), c.body) << c.what;
      EXPECT_EQ((*crowd[i])->cache_status(), c.cache_status) << c.what;
    }
    EXPECT_EQ((*late)->status(), c.status) << c.what;
    if (c.status != 502) {
      EXPECT_EQ((*crowd[1])->read(), "second") << "its own: " << c.what;
    }
    EXPECT_EQ(app_.count(), before + 2) << c.what;
    crowd.clear();
    late->leave();
    turn();
    EXPECT_EQ(tables_.flights.size(), 0U) << c.what;
    EXPECT_EQ(fills_.size(), 0U) << c.what;
  }
}

TEST_F(AppErrorTest, WhoAsksForAnotherVariantDoesNotFollowTheOneThatAsksAgain) {
  const HeadLines varied = {{"Cache-Control", "public, max-age=60"}, {"Vary", "X-Theme"}};
  const auto leader = visit("/a", "X-Theme: plain\r\n");
  const auto light = visit("/a", "X-Theme: light\r\n");
  const auto dark = visit("/a", "X-Theme: dark\r\n");
  // Meanwhile the URL turns out to have variants.
  const auto personal = visit("/a", "X-Theme: blue\r\nCookie: sid=1\r\n");
  app().answers(200, varied, "blue");
  turn();
  app_.at(0).answers(500, {}, "down");
  turn();
  ASSERT_EQ(app_.count(), 4U) << "each variant is asked for";
  app_.at(2).answers(200, varied, "light");
  app_.at(3).answers(200, varied, "dark");
  turn();
  EXPECT_EQ((*light)->read(), "light");
  EXPECT_EQ((*dark)->read(), "dark");
}

TEST_F(AppErrorTest, WhoHasACopyDoesNotWaitForTheSecondFetch) {
  fill_with("/a", {{"Cache-Control", "max-age=1, stale-if-error=600"}}, "old");
  pass_time(2'000);
  const std::size_t before = app_.count();
  const auto leader = visit("/a");
  const auto follower = visit("/a", "Cache-Control: no-cache\r\n");
  pass_time(site_->site->config->limits.coalesce_wait_ms);
  EXPECT_EQ((*follower)->read(), "old") << "the app was slow";
  const auto late = visit("/a");
  app_.at(before).end(upstream::FetchResult::Broken);
  turn();
  EXPECT_EQ((*late)->read(), "old");
}

TEST_F(AppErrorTest, WhoHearsOfA500LateDoesNotAskAThirdTime) {
  // Its loop was busy, and the second answer has come and gone.
  struct Case {
    int status;
    HeadLines lines;
  };
  for (const Case& c : {Case{500, {}}, Case{200, kFreshLines}}) {
    use({}, Tiers::Ram);
    EventLoop busy_loop(clock_);
    Fills fills(busy_loop, tables_);
    WorkerContext busy{
        busy_loop, tables_, fills,
        std::make_shared<LoopSite>(site_->site, busy_loop, tables_.counts.add_loop(), fetcher_)};
    const std::size_t before = app_.count();
    const auto leader = visit("/a");
    const auto follower = visit("/a");
    Visitor straggler(busy, get("/a"));
    app().answers(500, {}, "first");
    turn();
    app().answers(c.status, c.lines, "second");
    turn();
    EXPECT_EQ((*follower)->read(), "second");
    busy_loop.turn();
    busy_loop.turn();
    EXPECT_EQ(straggler->status(), c.status);
    EXPECT_EQ(straggler->read(), "second");
    EXPECT_EQ(app_.count(), before + 2);
  }
}

}  // namespace
}  // namespace weir::flow
