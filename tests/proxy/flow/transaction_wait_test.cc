// For how long a request waits, by a clock that no test waits for, and what happens when the client
// leaves in one of its waits.
#include "proxy/flow/transaction.h"
#include "tests/proxy/flow/flow_fixture.h"

namespace weir::flow {
namespace {

using testing::HasSubstr;

conf::CacheRule rule_with_stale_after(std::int64_t ms) {
  conf::CacheRule rule;
  rule.stale_after_ms = ms;
  return rule;
}

class TransactionWaitTest : public FlowTest {};

// ---- timers, by a clock that no test waits for ----

TEST_F(TransactionWaitTest, AnAppThatIsTooSlowIsNotWaitedForWhereThereIsACopy) {
  use(rule_with_stale_after(200), Tiers::Ram);
  fill_with("/a", {{"Cache-Control", "max-age=1"}}, "old");
  pass_time(5'000);
  const auto visitor = visit("/a");
  pass_time(199);
  EXPECT_FALSE((*visitor)->answered());
  pass_time(1);
  EXPECT_EQ((*visitor)->cache_status(), "weir; fwd=stale; ttl=-4; detail=stale-slow");
  EXPECT_EQ((*visitor)->read(), "old");
  app().answers(200, kFreshLines, "new");
  turn();
  EXPECT_EQ(status_now("/a"), "weir; hit; ttl=60") << "the fetch went on";
}

TEST_F(TransactionWaitTest, NoTimerOutlivesItsWait) {
  use(rule_with_stale_after(200), Tiers::Ram);
  fill_with("/a", {{"Cache-Control", "max-age=1"}}, "old");
  pass_time(2'000);
  const auto visitor = visit("/a");
  app().answers(200, kFreshLines, "new");
  turn();
  EXPECT_EQ((*visitor)->read(), "new");
  pass_time(60'000);
  EXPECT_EQ((*visitor)->read(), "new");
}

// ---- leaving ----

TEST_F(TransactionWaitTest, TheClientMayLeaveInEveryWait) {
  // After each of these nobody is woken any more, nothing is left flying that nobody wants, and the
  // next visitor is served as if the other had never been there.
  struct Case {
    std::string wait;
    std::function<void()> until;  // from the visit until that wait
  };
  const Case cases[] = {
      {"a slower tier is being asked", [] {}},
      {"the app was asked", [this] { release_look_up(); }},
      {"the body is coming",
       [this] {
         release_look_up();
         app().head(200, kFreshLines, http::Framing::Chunked);
         app().body("some");
         turn();
       }},
      {"the answer is whole",
       [this] {
         release_look_up();
         app().answers(200, {{"Cache-Control", "no-store"}}, "page");
         turn();
       }},
  };
  for (const Case& c : cases) {
    use({}, Tiers::RamAndSlow);
    slow_->hold();
    auto visitor = visit("/a");
    c.until();
    visitor->leave();
    visitor = nullptr;
    turn();
    if (app_.count() > 0 && !app().dropped()) app().end(upstream::FetchResult::Broken);
    turn();
    EXPECT_EQ(fills_.size(), 0U) << c.wait;
    EXPECT_EQ(slow_->waiting(), 0U) << c.wait;
    EXPECT_EQ(tables_.flights.size(), 0U) << c.wait;
    EXPECT_EQ(tables_.budget.used(), 0U) << c.wait;
    const auto next = visit("/b");
    release_look_up();
    app().answers(200, kFreshLines, "next");
    turn();
    EXPECT_EQ((*next)->read(), "next") << c.wait;
  }
}

TEST_F(TransactionWaitTest, APooledOneKeepsNothingOfTheRequestBefore) {
  // The first is the follower of a flight that is not for sharing, so that it is remembered, stale
  // and refused in turn; the second must not notice.
  fill_with("/stale", {{"Cache-Control", "max-age=1, stale-if-error=600"}}, "old");
  pass_time(2'000);
  const auto leader = visit("/stale");
  Transaction transaction(*context_);
  test::ScriptedExchange first(loop_, get("/stale"));
  transaction.start(first);
  app().answers(200, {{"Set-Cookie", "a=b"}}, "private");
  turn();
  app().answers(200, {{"Set-Cookie", "a=b"}}, "private");
  turn();
  EXPECT_EQ(first.cache_status(), "weir; fwd=stale; detail=set-cookie");
  transaction.finished();

  test::ScriptedExchange second(loop_, get("/plain"));
  transaction.start(second);
  app().answers(200, kFreshLines, "page");
  turn();
  EXPECT_EQ(second.cache_status(), "weir; fwd=uri-miss; stored; ttl=60");
  EXPECT_EQ(second.log_notes().subject, "");
  transaction.finished();

  test::ScriptedExchange third(loop_, "POST /plain HTTP/1.1\r\nHost: app.test\r\n\r\n");
  transaction.start(third);
  app().end(upstream::FetchResult::Broken);
  turn();
  EXPECT_EQ(third.cache_status(), "weir; detail=upstream-error")
      << "no copy of another's stands in";
  transaction.finished();
}

}  // namespace
}  // namespace weir::flow
