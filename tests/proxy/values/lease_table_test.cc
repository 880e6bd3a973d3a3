// Who computes a value, and who waits for it.
#include "proxy/values/lease_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

namespace weir::values {
namespace {

class Caller final : public LeaseWaiter {
 public:
  void lease_news() override { ++news; }
  int news = 0;
  Life<LeaseWaiter> life{*this};
};

class LeaseTableTest : public ::testing::Test {
 protected:
  LeaseTable::Asked ask(Caller& caller, std::int64_t now_ms = 0, bool may_wait = true) {
    return table_.ask("a", {.lease_ms = 1000,
                            .now_ms = now_ms,
                            .may_wait = may_wait,
                            .door = door_,
                            .who = caller.life.watch()});
  }
  void turn() {
    loop_.post([this] { loop_.stop(); });
    loop_.run();
  }
  static LeaseTicket::News take(LeaseTable::Asked& asked, Lease* lease = nullptr) {
    Lease taken;
    const LeaseTicket::News news = asked.ticket->take(taken);
    if (lease) *lease = taken;
    return news;
  }

  EventLoop loop_;
  std::shared_ptr<LoopDoor> door_ = std::make_shared<LoopDoor>(loop_);
  LeaseTable table_;
  Caller first_, second_, third_;
};

using News = LeaseTicket::News;

TEST_F(LeaseTableTest, OneComputesAndTheOthersLookOnceItIsSet) {
  const LeaseTable::Asked leader = ask(first_);
  LeaseTable::Asked waiting = ask(second_);
  LeaseTable::Asked also = ask(third_);
  ASSERT_TRUE(leader.lease);
  ASSERT_TRUE(waiting.ticket && also.ticket);
  EXPECT_EQ(table_.waiters(), 2U);
  turn();
  EXPECT_EQ(second_.news, 0);
  EXPECT_TRUE(table_.held("a", leader.lease->token, 999));
  table_.set("a");
  turn();
  EXPECT_EQ(second_.news, 1);
  EXPECT_EQ(take(waiting), News::Look);
  EXPECT_EQ(take(also), News::Look);
  EXPECT_EQ(take(also), News::None);
  EXPECT_EQ(table_.waiters(), 0U);
  EXPECT_FALSE(table_.held("a", leader.lease->token, 0));
}

TEST_F(LeaseTableTest, WhoFailsHandsItOn) {
  const LeaseTable::Asked leader = ask(first_);
  LeaseTable::Asked waiting = ask(second_);
  LeaseTable::Asked also = ask(third_);
  EXPECT_FALSE(table_.fail("a", "another token", 10));
  EXPECT_TRUE(table_.fail("a", leader.lease->token, 10));
  turn();
  Lease lease;
  ASSERT_EQ(take(waiting, &lease), News::Yours);
  EXPECT_EQ(take(also), News::None);
  EXPECT_EQ(also.ticket->until_ms(), 1010);
  EXPECT_NE(lease.token, leader.lease->token);
  EXPECT_FALSE(table_.held("a", leader.lease->token, 10));
  EXPECT_TRUE(table_.held("a", lease.token, 1009));
  EXPECT_FALSE(table_.held("a", lease.token, 1010));
}

TEST_F(LeaseTableTest, WhoseTimeIsUpHasItNoMore) {
  const LeaseTable::Asked leader = ask(first_);
  LeaseTable::Asked waiting = ask(second_);
  table_.expire("a", 999);
  EXPECT_EQ(take(waiting), News::None);
  table_.expire("a", 1000);
  Lease lease;
  EXPECT_EQ(take(waiting, &lease), News::Yours);
  EXPECT_EQ(lease.until_ms, 2000);
  // Who comes later than that, with nobody before him, has it at once.
  const LeaseTable::Asked late = ask(third_, 2000);
  EXPECT_TRUE(late.lease);
}

TEST_F(LeaseTableTest, WhoHasWaitedComesBeforeWhoComesNow) {
  const LeaseTable::Asked leader = ask(first_);
  LeaseTable::Asked waiting = ask(second_);
  const LeaseTable::Asked late = ask(third_, 1000);
  EXPECT_FALSE(late.lease);
  EXPECT_EQ(take(waiting), News::Yours);
}

TEST_F(LeaseTableTest, ALeaseGivenToWhoHasLeftGoesOn) {
  const LeaseTable::Asked leader = ask(first_);
  LeaseTable::Asked gone = ask(second_);
  LeaseTable::Asked waiting = ask(third_);
  table_.fail("a", leader.lease->token, 10);
  gone.ticket = nullptr;
  EXPECT_EQ(take(waiting), News::Yours);
}

TEST_F(LeaseTableTest, WhoLeavesWaitsNoMore) {
  const LeaseTable::Asked leader = ask(first_);
  LeaseTable::Asked gone = ask(second_);
  gone.ticket = nullptr;
  EXPECT_EQ(table_.waiters(), 0U);
  EXPECT_TRUE(table_.fail("a", leader.lease->token, 10));
  EXPECT_TRUE(ask(third_, 10).lease);
}

TEST_F(LeaseTableTest, WhatIsClearedVoidsLeases) {
  const LeaseTable::Asked leader = ask(first_);
  LeaseTable::Asked waiting = ask(second_);
  table_.void_if([](std::string_view name) { return name == "b"; });
  EXPECT_TRUE(table_.held("a", leader.lease->token, 0));
  table_.void_if([](std::string_view name) { return name == "a"; });
  EXPECT_FALSE(table_.held("a", leader.lease->token, 0));
  EXPECT_EQ(take(waiting), News::Look);
}

TEST_F(LeaseTableTest, WaitersAreBounded) {
  const LeaseTable::Asked leader = ask(first_);
  std::vector<LeaseTable::Asked> waiting;
  for (std::size_t i = 0; i < LeaseTable::kMostWaiters; ++i) waiting.push_back(ask(second_));
  EXPECT_TRUE(waiting.back().ticket);
  const LeaseTable::Asked refused = ask(third_);
  EXPECT_FALSE(refused.ticket || refused.lease);
  waiting.pop_back();
  EXPECT_TRUE(ask(third_).ticket);
}

TEST_F(LeaseTableTest, WhoWantsNotToWaitDoesNot) {
  const LeaseTable::Asked leader = ask(first_);
  const LeaseTable::Asked refused = ask(second_, 0, false);
  EXPECT_FALSE(refused.ticket || refused.lease);
  EXPECT_EQ(table_.waiters(), 0U);
}

TEST_F(LeaseTableTest, NobodyWaitsWhereTheProcessIsEnding) {
  // Who waited looks again, and then is not kept; who computes may still set.
  const LeaseTable::Asked leader = ask(first_);
  LeaseTable::Asked waiting = ask(second_);
  table_.end_waiting();
  turn();
  EXPECT_EQ(second_.news, 1);
  EXPECT_EQ(take(waiting), News::Look);
  EXPECT_EQ(table_.waiters(), 0U);
  const LeaseTable::Asked again = ask(second_);
  EXPECT_FALSE(again.lease || again.ticket);
  EXPECT_TRUE(again.nobody_waits);
  EXPECT_TRUE(table_.held("a", leader.lease->token, 0));
}

TEST_F(LeaseTableTest, LeasesThatNobodyEndedDoNotPileUp) {
  const auto ask_for = [&](std::size_t number, std::int64_t now_ms) {
    return table_.ask(
        std::to_string(number),
        {.lease_ms = 1000, .now_ms = now_ms, .door = door_, .who = first_.life.watch()});
  };
  std::size_t number = 0;
  for (; number < LeaseTable::kMostLeases; ++number) ASSERT_TRUE(ask_for(number, 0).lease);
  const LeaseTable::Asked one_more = ask_for(number, 10);
  EXPECT_FALSE(one_more.lease || one_more.ticket || one_more.nobody_waits);
  EXPECT_TRUE(ask_for(7, 20).ticket);  // one that is held can be waited for
  ASSERT_TRUE(ask_for(number, 1'500).lease);
  for (std::size_t i = 1; i < LeaseTable::kMostLeases; ++i) {
    ASSERT_TRUE(ask_for(number + i, 1'500).lease) << i;
  }
}

TEST_F(LeaseTableTest, ALeaseKnowsWhereThePurgeBookStood) {
  LeaseTable::Asked leader =
      table_.ask("a", {.lease_ms = 1000, .seq = 7, .door = door_, .who = first_.life.watch()});
  LeaseTable::Asked next =
      table_.ask("a", {.lease_ms = 1000, .seq = 9, .door = door_, .who = second_.life.watch()});
  EXPECT_EQ(table_.held("a", leader.lease->token, 0)->seq, 7U);
  table_.fail("a", leader.lease->token, 0);
  turn();
  Lease given;
  ASSERT_EQ(take(next, &given), News::Yours);
  EXPECT_EQ(given.seq, 9U);
}

}  // namespace
}  // namespace weir::values
