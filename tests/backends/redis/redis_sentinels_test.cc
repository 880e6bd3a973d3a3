// A backend, and a fleet's log, on the master that real sentinels name, while they name another.
#include "tests/support/redis_sentinels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backends/redis/names.h"
#include "tests/backends/redis/fleet_kit.h"
#include "tests/backends/redis/redis_kit.h"
#include "tests/support/socket.h"
#include "tests/support/wait.h"

namespace weir::backends::testing {
namespace {

using test::RedisSentinels;

class RedisSentinelsTest : public FleetLogTest {
 protected:
  redis::Topology servers() const {
    redis::Topology out = sentinels_at(sentinels_.sentinel_ports(), RedisSentinels::master_name());
    out.place.password = "secret";
    return out;
  }

  RedisSentinels sentinels_{"secret"};
};

TEST_F(RedisSentinelsTest, TheMasterIsFoundAndFoundAgain) {
  RedisKit kit(servers());
  EXPECT_EQ(kit.put("a", "body"), StoreResult::Stored);
  EXPECT_EQ(kit.body_at("a"), "body");
  sentinels_.fail_over();
  EXPECT_TRUE(test::eventually(
      [&] { return kit.put("b", "body") == StoreResult::Stored && kit.body_at("b") == "body"; }));
  sentinels_.await_ok();
  const std::string b = redis::object_name(kit.options.prefix, "b");
  EXPECT_EQ(sentinels_.master().client().must({"EXISTS", b}).number, 1) << "it is the new one";
}

TEST_F(RedisSentinelsTest, ASentinelThatIsGoneIsPassedOver) {
  sentinels_.sentinel(0).kill();
  RedisKit kit(servers());
  EXPECT_EQ(kit.put("a", "body"), StoreResult::Stored);
  EXPECT_EQ(kit.body_at("a"), "body");
}

TEST_F(RedisSentinelsTest, SentinelsThatHangArePassedOver) {
  // More than can be asked in the time that a connection may take: the next one that is begun does
  // not ask them first.
  std::vector<test::Socket> hanging;
  redis::Topology all = servers();
  for (int i = 0; i < 6; ++i) {
    hanging.push_back(test::Socket::listen_tcp());
    all.seeds.insert(all.seeds.begin(), {"127.0.0.1", hanging.back().port()});
  }
  RedisKit kit(all);
  kit.options.timeout_ms = 200;
  EXPECT_TRUE(test::eventually([&] {
    turn(kit.at().loop());
    return kit.put("a", "body") == StoreResult::Stored;
  }));
  EXPECT_EQ(kit.body_at("a"), "body");
}

TEST_F(RedisSentinelsTest, AMasterThatNobodyKnowsIsAMissAndSaidOnce) {
  redis::Topology wrong = servers();
  wrong.master = "nobody";
  RedisKit kit(wrong);
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(kit.put("a", "body"), StoreResult::Failed);
  EXPECT_EQ(kit.body_at("a"), std::nullopt);
  const std::string said =
      ::testing::internal::GetCapturedStdout() + ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, ::testing::HasSubstr("it knows no master nobody"));
  EXPECT_THAT(said, ::testing::Not(::testing::HasSubstr("secret")));
}

TEST_F(RedisSentinelsTest, AFleetFollowsItAndWhatWasAcknowledgedIsNotLost) {
  Instance& a = fleet_.add(servers());
  Instance& b = fleet_.add(servers());
  ASSERT_TRUE(fleet_.begin());
  // A master waits a moment before it believes in a replica that has just come.
  ASSERT_TRUE(fleet_.turn_until([&] {
    const auto applied = fleet_.purge(a, "one");
    return applied.confirmed && applied.acked == 2;
  }));
  const std::uint16_t old = sentinels_.kill_master();
  ASSERT_TRUE(fleet_.turn_until([&] { return !a.log->is_in_step() && !b.log->is_in_step(); }));
  a.log->append("meanwhile");
  ASSERT_TRUE(fleet_.all_in_step());
  ASSERT_NE(sentinels_.await_new_master(old), old);
  EXPECT_TRUE(fleet_.turn_until([&] { return count(b, "meanwhile") == 1; }));
  EXPECT_THAT(b.book.applied, ::testing::Contains("all is stale")) << "it may lack the last writes";
  EXPECT_EQ(a.book.drops + b.book.drops, 0);
  Instance& c = fleet_.add(servers());
  ASSERT_TRUE(fleet_.all_in_step());
  EXPECT_GE(count(c, "one"), 1);
}

TEST_F(RedisSentinelsTest, WhoIsStillConnectedToAnOldMasterHearsOfIt) {
  // One that was paused while it was replaced, and goes on before the sentinels have told it.
  Instance& a = fleet_.add(servers());
  ASSERT_TRUE(fleet_.begin());
  test::RedisServer& old = sentinels_.master();
  const std::uint16_t old_port = sentinels_.pause_master();
  sentinels_.await_new_master(old_port);
  for (std::size_t i = 0; i < sentinels_.size(); ++i) {
    EXPECT_NE(sentinels_.master_port(), old_port);
  }
  old.go_on();
  ASSERT_TRUE(
      fleet_.turn_until([&] { return a.log->is_in_step() && may_read(sentinels_.master(), a); }));
  EXPECT_FALSE(may_read(old, a));
}

}  // namespace
}  // namespace weir::backends::testing
