// Claims, and erasures that somebody waits for, as the other instances of a fleet see them.
#include <gtest/gtest.h>

#include "backends/ram/ram_backend.h"
#include "backends/tiered.h"
#include "tests/backends/redis/redis_kit.h"
#include "tests/support/wait.h"

namespace weir::backends::testing {
namespace {

using test::RedisServer;
using Status = Claimed::Status;

constexpr std::int64_t kMinute_ms = 60'000;

class Claimer final : public ClaimWaiter {
 public:
  void on_claimed(Claimed claimed) override { got = std::move(claimed); }
  // Asks, and waits for the answer.
  Status ask(RedisKit& kit) {
    got.reset();
    handle = kit.at().store().claim(key_of("page"), kMinute_ms, *this);
    while (!got) turn(kit.at().loop());
    return got->status;
  }
  void ask_only(RedisKit& kit) {
    handle = kit.at().store().claim(key_of("page"), kMinute_ms, *this);
    turn(kit.at().loop());
  }

  std::optional<Claimed> got;
  std::unique_ptr<PendingAnswer> handle;
};

class RedisRightsTest : public ::testing::Test {
 protected:
  RedisRightsTest() { b_.options.prefix = a_.options.prefix; }
  // What the other one gives back is on its way.
  bool becomes(Claimer& who, RedisKit& kit, Status status) {
    return test::eventually([&] {
      turn(a_.at().loop());
      turn(b_.at().loop());
      return who.ask(kit) == status;
    });
  }

  RedisServer server_;
  RedisKit a_{server_};
  RedisKit b_{server_};
  Claimer by_a_;
  Claimer by_b_;
};

TEST_F(RedisRightsTest, OneHasAClaimUntilItLetsGo) {
  EXPECT_EQ(by_a_.ask(a_), Status::Mine);
  EXPECT_EQ(by_b_.ask(b_), Status::Others);
  by_a_.got.reset();
  EXPECT_TRUE(becomes(by_b_, b_, Status::Mine));
  by_b_.got->claim->refuse();
  EXPECT_TRUE(becomes(by_a_, a_, Status::Refused));
}

TEST_F(RedisRightsTest, AClaimThatNobodyWaitsForAnyMoreIsGivenBack) {
  // Whoever asked goes before he hears that it is his.
  by_a_.ask(a_);
  by_a_.got.reset();  // connected from here on
  ASSERT_TRUE(becomes(by_b_, b_, Status::Mine));
  by_b_.got.reset();
  turn(b_.at().loop());
  server_.pause();
  by_a_.ask_only(a_);
  by_a_.handle.reset();
  server_.go_on();
  EXPECT_TRUE(becomes(by_b_, b_, Status::Mine));
  EXPECT_FALSE(by_a_.got);
}

TEST_F(RedisRightsTest, AnErasureIsToldOnceItIsGoneForAll) {
  a_.put("page", "body");
  a_.put("other", "body");
  ASSERT_EQ(b_.body_at("page"), "body");
  std::optional<bool> told;
  const auto tell = [&](bool are_gone) { told = are_gone; };
  EXPECT_EQ(a_.at().store().when_erased(0, tell), nullptr) << "nothing is under way";
  server_.pause();
  const std::uint64_t before = a_.at().store().erasures();
  for (const char* const key : {"page", "other"}) {
    EXPECT_EQ(a_.at().store().erase(key_of(key)), EraseResult::Started);
  }
  const auto heard = a_.at().store().when_erased(before, tell);
  EXPECT_EQ(a_.at().store().when_erased(a_.at().store().erasures(), tell), nullptr)
      << "those were begun before";
  auto dropped = a_.at().store().when_erased(before, [](bool) { FAIL() << "nobody waits"; });
  ASSERT_TRUE(heard);
  turn(a_.at().loop());
  EXPECT_FALSE(told);
  dropped.reset();
  server_.go_on();
  while (!told) turn(a_.at().loop());
  EXPECT_TRUE(*told);
  EXPECT_EQ(b_.body_at("page"), std::nullopt);
  EXPECT_EQ(b_.body_at("other"), std::nullopt);
}

TEST_F(RedisRightsTest, TiersTellOfTheOneThatIsShared) {
  const auto redis = make_redis_backend(a_.options, {*a_.resolver, a_.positions});
  Attached tiers(make_tiered({make_ram_backend({.name = "ram", .max_size = 1 << 20}), redis}));
  EXPECT_EQ(tiers.put(entry_of("page", "body")), StoreResult::Stored);
  ASSERT_EQ(b_.body_at("page"), "body");
  std::optional<bool> told;
  const std::uint64_t before = tiers.store().erasures();
  EXPECT_EQ(tiers.store().erase(key_of("page")), EraseResult::Started);
  const auto heard = tiers.store().when_erased(before, [&](bool are_gone) { told = are_gone; });
  ASSERT_TRUE(heard);
  while (!told) turn(tiers.loop());
  EXPECT_TRUE(*told);
  EXPECT_EQ(b_.body_at("page"), std::nullopt);
}

TEST_F(RedisRightsTest, AnErasureThatTheServerDoesNotConfirmIsNone) {
  a_.options.timeout_ms = 100;
  a_.put("page", "body");
  server_.pause();
  std::optional<bool> told;
  EXPECT_EQ(a_.at().store().erase(key_of("page")), EraseResult::Started);
  const auto heard = a_.at().store().when_erased(0, [&](bool are_gone) { told = are_gone; });
  while (!told) turn(a_.at().loop());
  EXPECT_FALSE(*told);
  // Once it is known not to answer nobody waits for it.
  EXPECT_TRUE(test::eventually([&] {
    turn(a_.at().loop());
    return a_.at().store().erase(key_of("page")) == EraseResult::Failed;
  }));
  server_.go_on();
}

}  // namespace
}  // namespace weir::backends::testing
