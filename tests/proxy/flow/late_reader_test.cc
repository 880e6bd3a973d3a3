// Who joins a flight when its head has been there for a while.
#include "proxy/flow/transaction.h"
#include "tests/proxy/flow/flow_fixture.h"

namespace weir::flow {
namespace {

using testing::HasSubstr;

class LateReaderTest : public FlowTest {
 protected:
  // The head of an answer that is fresh for 10 s and takes longer to arrive.
  void begin() {
    conf::CacheRule rule;
    rule.honor_client_no_cache = true;
    use(rule, Tiers::Ram);
    before_ = app_.count();
    leader_ = visit("/a");
    app().head(200, {{"Cache-Control", "max-age=10"}}, http::Framing::Chunked);
    app().body("a");
    turn();
  }
  // It ends last, and its own reader has it whole.
  void end_first() {
    app_.at(before_).end();
    turn();
    EXPECT_EQ((*leader_)->read(), "a");
    EXPECT_TRUE((*leader_)->complete());
  }
  std::size_t asked() const { return app_.count() - before_; }

  std::size_t before_ = 0;
  std::unique_ptr<Visitor> leader_;
};

TEST_F(LateReaderTest, SharesWhatIsStillFreshAndTellsItsAge) {
  for (const std::int64_t after_ms : {0, 9'000}) {
    begin();
    pass_time(after_ms);
    const auto late = visit("/a");
    turn();
    const std::int64_t age_s = after_ms / 1000;
    EXPECT_EQ((*late)->cache_status(),
              "weir; fwd=uri-miss; collapsed; ttl=" + std::to_string(10 - age_s));
    EXPECT_EQ((*late)->age_s(), age_s > 0 ? age_s : -1);
    EXPECT_EQ(asked(), 1U);
    end_first();
  }
}

TEST_F(LateReaderTest, WhatHasExpiredLeavesItsNameAndItsPlaceToTheNext) {
  begin();
  pass_time(10'000);
  const auto late = visit("/a");
  turn();
  ASSERT_EQ(asked(), 2U);
  const auto third = visit("/a");
  turn();
  EXPECT_EQ(asked(), 2U) << "who comes next follows the new one";
  app().answers(200, kFreshLines, "new");
  turn();
  EXPECT_EQ((*late)->read(), "new");
  EXPECT_EQ((*third)->read(), "new");
  end_first();
  EXPECT_EQ(tables_.flights.size(), 0U);
  const auto next = visit("/a");
  EXPECT_EQ((*next)->read(), "new") << "the older one ended last";
}

TEST_F(LateReaderTest, WithoutANextOneItIsStoredAfterAll) {
  begin();
  pass_time(10'000);
  const auto late = visit("/a");
  turn();
  ASSERT_EQ(asked(), 2U);
  app().end(upstream::FetchResult::Broken);
  turn();
  EXPECT_EQ((*late)->status(), 502);
  end_first();
  EXPECT_EQ(backend_->stats().stores, 1U);
}

TEST_F(LateReaderTest, WhatTheNextOneBringsIsNotOverwrittenWhileItArrives) {
  begin();
  pass_time(10'000);
  const auto late = visit("/a");
  turn();
  app().head(200, kFreshLines, http::Framing::Length, 3);
  turn();
  end_first();
  app().body("new");
  app().end();
  turn();
  EXPECT_EQ((*late)->read(), "new");
  const auto next = visit("/a");
  EXPECT_EQ((*next)->read(), "new");
}

TEST_F(LateReaderTest, WhatIsTooOldForOneClientAloneIsFetchedForThatClientAlone) {
  for (const std::string directive : {"max-age=4", "no-cache"}) {
    begin();
    pass_time(5'000);
    const auto late = visit("/a", "Cache-Control: " + directive + "\r\n");
    turn();
    ASSERT_EQ(asked(), 2U) << directive;
    const auto third = visit("/a");
    turn();
    EXPECT_THAT((*third)->cache_status(), HasSubstr("collapsed")) << directive;
    app().answers(200, kFreshLines, "new");
    turn();
    EXPECT_EQ((*late)->read(), "new") << directive;
    end_first();
  }
}

}  // namespace
}  // namespace weir::flow
