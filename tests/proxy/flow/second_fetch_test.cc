// Who has waited for limits.coalesce_wait has a second fetch begun, one for all; whichever answers
// first serves everybody.
#include "tests/proxy/flow/crowd_fixture.h"

namespace weir::flow {
namespace {

using testing::HasSubstr;

using SecondFetchTest = CrowdTest;

TEST_F(SecondFetchTest, WhicheverAnswersFirstServesAll) {
  for (const std::size_t first : {0U, 1U}) {
    use({}, Tiers::Ram);
    const std::size_t before = app_.count();
    for (std::size_t i = 0; i < kCrowd; ++i) crowd_.push_back(visit("/a"));
    pass_time(site_->site->config->limits.coalesce_wait_ms);
    ASSERT_EQ(app_.count(), before + 2);
    app_.at(before + first).answers(200, kFreshLines, "page");
    turn();
    expect_all_read("page");
    EXPECT_TRUE(app_.at(before + 1 - first).dropped()) << "the other one is not waited for";
    // Who had it fetched is told so; the others share it.
    EXPECT_THAT((*crowd_[first])->cache_status(), HasSubstr("fwd=uri-miss; stored"));
    EXPECT_THAT((*crowd_[1 - first])->cache_status(), HasSubstr("fwd=uri-miss; collapsed"));
    EXPECT_THAT(status_now("/a"), HasSubstr("weir; hit"));
    EXPECT_EQ(app_.count(), before + 2);
    expect_clean();
  }
}

TEST_F(SecondFetchTest, WhoComesWhileTheWinnerStreamsFollowsIt) {
  impatient_crowd();
  app_.at(1).head(200, kFreshLines, http::Framing::Length, 4);
  app_.at(1).body("pa");
  turn();
  const auto late = visit("/a");
  turn();
  EXPECT_EQ(app_.count(), 2U);
  app_.at(1).body("ge");
  app_.at(1).end();
  turn();
  EXPECT_EQ((*late)->read(), "page");
  expect_all_read("page");
  expect_clean();
}

TEST_F(SecondFetchTest, TheFailureOfOneIsForTheOneWhoseFetchItWas) {
  // He would have had it without the others as well; they wait for the other fetch.
  struct Case {
    std::string what;
    int status;
    std::function<void(test::Asked&)> fails;
  };
  const Case cases[] = {
      {"broken off", 502, [](test::Asked& asked) { asked.end(upstream::FetchResult::Broken); }},
      {"500", 500, [](test::Asked& asked) { asked.answers(500, {}, "down"); }},
  };
  for (const Case& c : cases) {
    for (const std::size_t failing : {0U, 1U}) {
      use({}, Tiers::Ram);
      const std::size_t before = app_.count();
      for (std::size_t i = 0; i < kCrowd; ++i) crowd_.push_back(visit("/a"));
      pass_time(site_->site->config->limits.coalesce_wait_ms);
      c.fails(app_.at(before + failing));
      turn();
      for (std::size_t i = 0; i < kCrowd; ++i) {
        EXPECT_EQ((*crowd_[i])->status(), i == failing ? c.status : 0) << c.what << i;
      }
      EXPECT_THAT((*crowd_[failing])->cache_status(), testing::Not(HasSubstr("collapsed")));
      app_.at(before + 1 - failing).answers(200, kFreshLines, "page");
      turn();
      for (std::size_t i = 0; i < kCrowd; ++i) {
        if (i == failing) continue;
        EXPECT_EQ((*crowd_[i])->read(), "page") << c.what << i;
      }
      EXPECT_EQ(app_.count(), before + 2) << c.what;
      expect_clean();
    }
  }
}

TEST_F(SecondFetchTest, ThatTheAppGivesNothingInTimeIsTheAnswerOfAll) {
  // Whichever fetch says so: each of them would have had a fetch of his own by then.
  for (const std::size_t first : {0U, 1U}) {
    impatient_crowd_of(kCrowd);
    const std::size_t before = app_.count() - 2;
    app_.at(before + first).end(upstream::FetchResult::Timeout);
    turn();
    for (std::size_t i = 0; i < kCrowd; ++i) EXPECT_EQ((*crowd_[i])->status(), 504) << i;
    EXPECT_TRUE(app_.at(before + 1 - first).dropped());
    expect_clean();
  }
}

TEST_F(SecondFetchTest, ASecondFailureIsTheAnswerOfAll) {
  impatient_crowd();
  app_.at(0).answers(503, {}, "down");
  app_.at(1).answers(503, {}, "down still");
  turn();
  for (std::size_t i = 0; i < kCrowd; ++i) {
    EXPECT_EQ((*crowd_[i])->status(), 503) << i;
    EXPECT_EQ((*crowd_[i])->read(), i == 0 ? "down" : "down still") << i;
  }
  EXPECT_EQ(app_.count(), 2U);
  expect_clean();
}

TEST_F(SecondFetchTest, WhatIsForOneIsForTheOneWhoseFetchBroughtIt) {
  for (const std::size_t first : {0U, 1U}) {
    const std::string path = "/" + std::to_string(first);
    const std::size_t before = app_.count();
    for (std::size_t i = 0; i < kCrowd; ++i) crowd_.push_back(visit(path));
    pass_time(site_->site->config->limits.coalesce_wait_ms);
    app_.at(before + first).answers(200, {{"Cache-Control", "private"}}, "personal");
    turn();
    for (std::size_t i = 0; i < kCrowd; ++i) {
      EXPECT_EQ((*crowd_[i])->answered(), i == first) << i;
    }
    EXPECT_EQ((*crowd_[first])->read(), "personal");
    // Each of those who followed has its own now; the other one who leads has had it all the time.
    EXPECT_EQ(app_.count(), before + 2 + kCrowd - 2);
    EXPECT_FALSE(app_.at(before + 1 - first).dropped());
    app_.at(before + 1 - first).answers(200, {{"Cache-Control", "private"}}, "its own");
    for (std::size_t i = before + 2; i < app_.count(); ++i) {
      app_.at(i).answers(200, {{"Cache-Control", "private"}}, "its own");
    }
    turn();
    for (std::size_t i = 0; i < kCrowd; ++i) {
      EXPECT_EQ((*crowd_[i])->read(), i == first ? "personal" : "its own") << i;
    }
    expect_clean();
  }
}

TEST_F(SecondFetchTest, WhenNobodyWaitsForThemBothAreGivenUp) {
  // Until their heads they go on, each of them for the store; what has no connection yet does not.
  impatient_crowd();
  app_.at(1).set_waiting(true);
  for (auto& visitor : crowd_) visitor->leave();
  turn();
  EXPECT_TRUE(app_.at(1).dropped());
  EXPECT_FALSE(app_.at(0).dropped());
  app_.at(0).answers(200, kFreshLines, "page");
  turn();
  EXPECT_THAT(status_now("/a"), HasSubstr("weir; hit"));
  expect_clean();
}

TEST_F(SecondFetchTest, WhoHasACopyTakesItInstead) {
  conf::CacheRule rule;
  rule.stale_after_ms = 60'000;
  use(rule, Tiers::Ram);
  fill_with("/a", {{"Cache-Control", "max-age=1"}}, "old");
  pass_time(2'000);
  const std::size_t before = app_.count();
  const auto leader = visit("/a");
  const auto follower = visit("/a");
  pass_time(site_->site->config->limits.coalesce_wait_ms);
  EXPECT_EQ((*follower)->read(), "old");
  EXPECT_FALSE((*leader)->answered());
  EXPECT_EQ(app_.count(), before + 1);
}

}  // namespace
}  // namespace weir::flow
