// Of two fetches that race the one that did not bring the answer is kept for the one who had it
// begun, until he has seen that the answer is for him too.
#include "tests/proxy/flow/crowd_fixture.h"

namespace weir::flow {
namespace {

using testing::HasSubstr;

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
    {"for those who show less", "", "Accept-Encoding: gzip\r\n", kFreshLines, 0, true},
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

class OwnFetchTest : public CrowdTest {
 protected:
  // Two visit, one of them with the winner's lines, one with the loser's, and each leads a fetch.
  void race(const std::string& winner, const std::string& loser, std::size_t first) {
    use({}, Tiers::Ram);
    before_ = app_.count();
    path_ = "/" + std::to_string(before_);
    first_ = first;
    crowd_.push_back(visit(path_, first == 0 ? winner : loser));
    crowd_.push_back(visit(path_, first == 0 ? loser : winner));
    pass_time(site_->site->config->limits.coalesce_wait_ms);
    ASSERT_EQ(app_.count(), before_ + 2);
  }
  test::Asked& won() { return app_.at(before_ + first_); }
  test::Asked& lost() { return app_.at(before_ + 1 - first_); }
  Visitor& winner() { return *crowd_[first_]; }
  Visitor& loser() { return *crowd_[1 - first_]; }

  std::string path_;
  std::size_t before_ = 0;
  std::size_t first_ = 0;
};

TEST_F(OwnFetchTest, IsKeptWhereTheAnswerIsNotForHim) {
  for (const Outcome& c : kOutcomes) {
    for (const std::size_t first : {0U, 1U}) {
      SCOPED_TRACE(c.what + (first == 0 ? ", the first wins" : ", the second wins"));
      race(c.winner, c.loser, first);
      won().answers(200, c.answer, "won");
      turn();
      EXPECT_EQ(lost().dropped(), !c.kept);
      EXPECT_EQ(app_.count(), before_ + 2 + c.asked_again);
      const std::string got = winner()->read();
      EXPECT_EQ(got, c.asked_again == 0 ? "won" : "");
      // Nobody reads this of a fetch that is given up.
      lost().answers(200, {{"Cache-Control", "private"}}, "his own");
      for (std::size_t i = before_ + 2; i < app_.count(); ++i) app_.at(i).answers(200, {}, "again");
      turn();
      EXPECT_EQ(loser()->read() == "his own", c.kept);
      EXPECT_EQ(loser()->cache_status().contains("collapsed"), !c.kept && c.asked_again == 0);
      expect_clean();
    }
  }
}

TEST_F(OwnFetchTest, IsTheAnswerWhereBothFailAtOnce) {
  // Before either of them has heard of it. What sets a cookie is for one alone.
  for (const std::size_t first : {0U, 1U}) {
    race("", "", first);
    lost().answers(503, {{"Set-Cookie", "a=1"}}, "down");
    won().answers(503, {{"Set-Cookie", "a=2"}}, "down still");
    turn();
    EXPECT_EQ(loser()->read(), "down");
    EXPECT_EQ(winner()->read(), "down still");
    expect_clean();

    race("", "", first);
    lost().end(upstream::FetchResult::Refused);
    won().end(upstream::FetchResult::Broken);
    turn();
    EXPECT_EQ(loser()->status(), 502);
    EXPECT_EQ(winner()->status(), 502);
    expect_clean();
  }
}

TEST_F(OwnFetchTest, IsKeptWhereTheAnswerHasBrokenOff) {
  race("", "", 0);
  won().head(200, kFreshLines, http::Framing::Length, 10);
  won().body("half");
  won().end(upstream::FetchResult::Broken);
  turn();
  lost().answers(200, kFreshLines, "whole");
  turn();
  EXPECT_EQ(loser()->read(), "whole");
  EXPECT_THAT(status_now(path_), HasSubstr("weir; hit"));
  expect_clean();
}

TEST_F(OwnFetchTest, LeavesTheAnswerItsNameForThoseItIsFor) {
  // The loser shows more than the answer is for.
  race("", "Accept-Encoding: gzip\r\n", 0);
  won().head(200, kFreshLines, http::Framing::Length, 4);
  won().body("pa");
  turn();
  const auto third = visit(path_);
  turn();
  EXPECT_EQ(app_.count(), before_ + 2);
  won().body("ge");
  won().end();
  turn();
  EXPECT_EQ((*third)->read(), "page");
  expect_clean();
}

TEST_F(OwnFetchTest, TeachesWhatItIsRefusedFor) {
  // The answer was another variant; what his own says of the page is for those who come later.
  race("X-Color: red\r\n", "X-Color: blue\r\n", 0);
  won().answers(200, {{"Cache-Control", "max-age=60"}, {"Vary", "X-Color"}}, "red");
  turn();
  lost().answers(200, {{"Cache-Control", "private"}}, "blue");
  turn();
  EXPECT_EQ(loser()->read(), "blue");
  const auto a = visit(path_, "X-Color: blue\r\n");
  const auto b = visit(path_, "X-Color: blue\r\n");
  turn();
  EXPECT_EQ(app_.count(), before_ + 4) << "nobody waits for it again";
}

TEST_F(OwnFetchTest, IsReadAtItsReadersPaceWhereItIsNotStored) {
  const std::string large(3 * Flight::kWindowBytes, 'x');
  race("", "", 0);
  won().answers(200, {{"Cache-Control", "private"}}, "won");
  lost().head(200, {{"Cache-Control", "private"}}, http::Framing::Length, large.size());
  turn();
  for (std::size_t at = 0; at < large.size(); at += 64 * 1024) {
    lost().body(std::string_view(large).substr(at, 64 * 1024));
    if (lost().paused()) loser()->read();
    turn();
    ASSERT_FALSE(lost().paused());
  }
  lost().end();
  turn();
  EXPECT_EQ(loser()->read().size(), large.size());
  expect_clean();
}

TEST_F(OwnFetchTest, AFetchThatIsKeptForOneEndsWithHim) {
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

TEST_F(OwnFetchTest, AFetchThatIsKeptForOneIsStoredAsAnyOther) {
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

}  // namespace
}  // namespace weir::flow
