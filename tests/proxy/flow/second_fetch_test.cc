// Who has waited for limits.coalesce_wait has a second fetch begun, one for all; whichever answers
// first serves everybody.
#include "tests/proxy/flow/flow_fixture.h"

namespace weir::flow {
namespace {

using testing::HasSubstr;

class SecondFetchTest : public FlowTest {
 protected:
  static constexpr std::size_t kCrowd = 30;

  // A crowd of one URL, of which the first leads; their patience has ended.
  void impatient_crowd() {
    for (std::size_t i = 0; i < kCrowd; ++i) crowd_.push_back(visit("/a"));
    pass_time(site_->site->config->limits.coalesce_wait_ms - 1);
    ASSERT_EQ(app_.count(), 1U);
    pass_time(1);
    ASSERT_EQ(app_.count(), 2U) << "one second fetch for all";
  }
  // Each of a URL of its own, asked for by so many with these lines.
  void impatient_crowd_of(std::size_t size, const std::string& first = "",
                          const std::string& others = "") {
    const std::size_t before = app_.count();
    const std::string path = "/" + std::to_string(before);
    for (std::size_t i = 0; i < size; ++i) crowd_.push_back(visit(path, i == 0 ? first : others));
    pass_time(site_->site->config->limits.coalesce_wait_ms);
    ASSERT_EQ(app_.count(), before + 2);
  }
  void expect_all_read(std::string_view body) {
    for (std::size_t i = 0; i < kCrowd; ++i) EXPECT_EQ((*crowd_[i])->read(), body) << i;
  }
  // Nothing is left behind, and the next visitor is served as if nothing had been.
  void expect_clean() {
    for (auto& visitor : crowd_) visitor->leave();
    crowd_.clear();
    turn();
    EXPECT_EQ(fills_.size(), 0U);
    EXPECT_EQ(tables_.flights.size(), 0U);
    EXPECT_EQ(tables_.budget.used(), 0U);
  }

  std::vector<std::unique_ptr<Visitor>> crowd_;
};

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
      {"no answer in time", 504,
       [](test::Asked& asked) { asked.end(upstream::FetchResult::Timeout); }},
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

TEST_F(SecondFetchTest, ASecondFailureIsTheAnswerOfAll) {
  impatient_crowd();
  app_.at(0).answers(503, {}, "down");
  turn();
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

// Each of two leads a fetch; what the first answer is, and what becomes of the other one's fetch.
struct Outcome {
  std::string what;
  std::string winner;  // header lines of the two requests
  std::string loser;
  HeadLines answer;
  std::size_t asked_again;  // how often
  bool kept;                // the loser's fetch
};
const Outcome kOutcomes[] = {
    {"for all", "", "", kFreshLines, 0, false},
    {"for nobody else", "", "", {{"Cache-Control", "private"}}, 0, true},
    {"another variant",
     "X-Color: red\r\n",
     "X-Color: blue\r\n",
     {{"Cache-Control", "max-age=60"}, {"Vary", "X-Color"}},
     0,
     true},
    {"his variant",
     "X-Color: red\r\n",
     "X-Color: red\r\n",
     {{"Cache-Control", "max-age=60"}, {"Vary", "X-Color"}},
     0,
     false},
    {"a coding that he cannot read",
     "Accept-Encoding: gzip\r\n",
     "",
     {{"Cache-Control", "max-age=60"}, {"Content-Encoding", "gzip"}},
     0,
     true},
    {"of no use without the cookies that were withheld",
     "Cookie: _ga=1\r\n",
     "",
     {{"Set-Cookie", "_ga=2"}},
     1,
     true},
    {"the same, with his withheld as well",
     "Cookie: _ga=1\r\n",
     "Cookie: _ga=7\r\n",
     {{"Set-Cookie", "_ga=2"}},
     2,
     false},
};

TEST_F(SecondFetchTest, WhoseAnswerItIsNotKeepsHisOwnFetch) {
  for (const Outcome& c : kOutcomes) {
    for (const std::size_t first : {0U, 1U}) {
      SCOPED_TRACE(c.what + (first == 0 ? ", the first wins" : ", the second wins"));
      use({}, Tiers::Ram);
      const std::string path = "/" + std::to_string(app_.count());
      const std::size_t before = app_.count();
      crowd_.push_back(visit(path, first == 0 ? c.winner : c.loser));
      crowd_.push_back(visit(path, first == 0 ? c.loser : c.winner));
      pass_time(site_->site->config->limits.coalesce_wait_ms);
      ASSERT_EQ(app_.count(), before + 2);
      app_.at(before + first).answers(200, c.answer, "won");
      turn();
      test::Asked& other = app_.at(before + 1 - first);
      EXPECT_EQ(other.dropped(), !c.kept);
      EXPECT_EQ(app_.count(), before + 2 + c.asked_again);
      Visitor& loser = *crowd_[1 - first];
      if (c.asked_again == 0) {
        EXPECT_EQ((*crowd_[first])->read(), "won");
      }
      if (c.kept) {
        EXPECT_FALSE(loser->answered());
        other.answers(200, {{"Cache-Control", "private"}}, "his own");
        turn();
        EXPECT_EQ(loser->read(), "his own");
        EXPECT_THAT(loser->cache_status(), testing::Not(HasSubstr("collapsed")));
      }
      for (std::size_t i = before + 2; i < app_.count(); ++i) app_.at(i).answers(200, {}, "again");
      turn();
      expect_clean();
    }
  }
}

TEST_F(SecondFetchTest, AFetchThatIsKeptForOneEndsWithHim) {
  for (const bool leaves_first : {true, false}) {
    impatient_crowd_of(2);
    const std::size_t last = app_.count() - 1;
    if (leaves_first) crowd_[0]->leave();
    app_.at(last).answers(200, {{"Cache-Control", "private"}}, "personal");
    turn();
    EXPECT_EQ(app_.at(last - 1).dropped(), leaves_first);
    if (!leaves_first) crowd_[0]->leave();
    turn();
    EXPECT_TRUE(app_.at(last - 1).dropped());
    EXPECT_EQ(app_.count(), last + 1);
    expect_clean();
  }
}

TEST_F(SecondFetchTest, AFetchThatIsKeptForOneIsStoredAsAnyOther) {
  impatient_crowd_of(2, "User-Agent: a\r\n", "User-Agent: b\r\n");
  const HeadLines lines = {{"Cache-Control", "max-age=60"}, {"Vary", "User-Agent"}};
  app_.at(1).answers(200, lines, "for b");
  turn();
  app_.at(0).answers(200, lines, "for a");
  turn();
  EXPECT_EQ((*crowd_[0])->read(), "for a");
  EXPECT_EQ((*crowd_[1])->read(), "for b");
  EXPECT_THAT(status_now("/0", "User-Agent: a\r\n"), HasSubstr("weir; hit"));
  EXPECT_THAT(status_now("/0", "User-Agent: b\r\n"), HasSubstr("weir; hit"));
  expect_clean();
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
