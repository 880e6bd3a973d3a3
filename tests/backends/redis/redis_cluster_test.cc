// A backend, and a fleet's log, on a real Redis Cluster: names in all slots, slots that move, and
// masters that are replaced.
#include "tests/support/redis_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "backends/redis/names.h"
#include "tests/backends/redis/fleet_kit.h"
#include "tests/backends/redis/redis_kit.h"
#include "tests/support/wait.h"

namespace weir::backends::testing {
namespace {

using test::RedisCluster;

class RedisClusterTest : public ::testing::Test {
 protected:
  static std::string key_of(int number) { return "key " + std::to_string(number); }
  int slot_of(std::string_view key) { return cluster_.slot_of(name(key)); }
  std::string name(std::string_view key) const {
    return redis::object_name(kit_.options.prefix, key);
  }
  static std::string patterned(std::size_t bytes) {
    std::string out;
    out.reserve(bytes);
    for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>('a' + i * i % 23));
    return out;
  }
  // An instance that has found nothing out yet.
  std::optional<std::string> by_another(std::string_view key) {
    RedisKit other(kit_.options.servers);
    other.options = kit_.options;
    return other.body_at(key);
  }
  std::size_t other_master_than(std::size_t index) { return index == 0 ? 1 : 0; }
  static std::size_t names_at(test::RedisServer& server, const std::string& prefix) {
    return server.client().must({"KEYS", prefix + "*"}).elements.size();
  }

  RedisCluster cluster_;
  RedisKit kit_{cluster_at(cluster_.ports())};
};

TEST_F(RedisClusterTest, ObjectsLieOnAllMastersAndAreFoundThere) {
  for (int i = 0; i < 40; ++i) EXPECT_EQ(kit_.put(key_of(i), "body"), StoreResult::Stored);
  EXPECT_EQ(kit_.put("large", patterned(300'000)), StoreResult::Stored);
  for (std::size_t i = 0; i < RedisCluster::kMasters; ++i) {
    EXPECT_GT(names_at(cluster_.node(i), kit_.options.prefix), 0U);
  }
  for (int i = 0; i < 40; ++i) EXPECT_EQ(by_another(key_of(i)), "body");
  EXPECT_EQ(by_another("large"), patterned(300'000));
}

TEST_F(RedisClusterTest, OneNodeIsEnoughToFindTheOthers) {
  kit_.put("a", "body");
  kit_.options.servers = cluster_at({cluster_.node(5).port()});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(kit_.put(key_of(i), "body"), StoreResult::Stored);
  EXPECT_EQ(by_another("a"), "body");
  // Nor does it matter that the first ones are gone.
  kit_.options.servers.seeds.insert(kit_.options.servers.seeds.begin(), {"127.0.0.1", 1});
  EXPECT_EQ(by_another("a"), "body");
}

TEST_F(RedisClusterTest, AListingAndASweepReachAllMasters) {
  for (int i = 0; i < 40; ++i) kit_.put(key_of(i), "body");
  EXPECT_EQ(list_keys(kit_.at().store(), 'k', kit_.at().loop()).size(), 40U);
  kit_.at().backend().clear();
  EXPECT_TRUE(test::eventually([&] {
    turn(kit_.at().loop());
    std::size_t left = 0;
    for (std::size_t i = 0; i < RedisCluster::kMasters; ++i) {
      left += names_at(cluster_.node(i), kit_.options.prefix);
    }
    return left == 0;
  }));
}

TEST_F(RedisClusterTest, ASlotThatHasMovedIsFollowed) {
  for (const std::string key : {"small", "large"}) {
    const std::string body = patterned(key == "small" ? 10 : 200'000);
    kit_.put(key, body);
    const int slot = slot_of(key);
    const std::size_t from = cluster_.master_of(slot);
    cluster_.migrate_slot(slot, from, other_master_than(from));
    EXPECT_EQ(kit_.body_at(key), body) << "it says MOVED";
    EXPECT_EQ(kit_.put(key, body + "!"), StoreResult::Stored);
    EXPECT_EQ(kit_.body_at(key), body + "!");
    EXPECT_EQ(by_another(key), body + "!");
  }
}

TEST_F(RedisClusterTest, WhileASlotMovesItsObjectsAreFoundAndStored) {
  kit_.put("small", "body");
  const int slot = slot_of("small");
  const std::size_t from = cluster_.master_of(slot);
  const std::size_t to = other_master_than(from);
  cluster_.begin_migration(slot, from, to);
  EXPECT_EQ(kit_.body_at("small"), "body") << "it is still there";
  cluster_.move_keys({name("small")}, from, to);
  EXPECT_EQ(kit_.body_at("small"), "body") << "it says ASK";
  EXPECT_EQ(kit_.put("small", "newer"), StoreResult::Stored) << "ASK again";
  EXPECT_EQ(kit_.body_at("small"), "newer");
  cluster_.finish_migration(slot, from, to);
  EXPECT_EQ(kit_.body_at("small"), "newer");
}

TEST_F(RedisClusterTest, ABodyOfWhichPiecesHaveMovedIsAMissUntilAllHave) {
  const std::string body = patterned(300'000);
  kit_.put("large", body);
  const int slot = slot_of("large");
  const std::size_t from = cluster_.master_of(slot);
  const std::size_t to = other_master_than(from);
  cluster_.begin_migration(slot, from, to);
  std::vector<std::string> names = cluster_.keys_in(slot, from);
  ASSERT_EQ(names.size(), 6U);
  // The value itself stays for last.
  std::erase(names, name("large"));
  cluster_.move_keys({names.back()}, from, to);
  EXPECT_EQ(kit_.body_at("large"), std::nullopt) << "TRYAGAIN: neither of them has all";
  names.pop_back();
  cluster_.move_keys(names, from, to);
  cluster_.move_keys({name("large")}, from, to);
  cluster_.finish_migration(slot, from, to);
  EXPECT_EQ(kit_.body_at("large"), body);
}

TEST_F(RedisClusterTest, WhileAMasterIsBeingReplacedTheOthersAreServed) {
  for (int i = 0; i < 40; ++i) kit_.put(key_of(i), "body");
  const std::size_t gone = cluster_.master_of(slot_of("key 0"));
  const auto is_of_gone = [&](int number) {
    return cluster_.master_of(cluster_.slot_of(name(key_of(number)))) == gone;
  };
  std::vector<int> of_others;
  for (int i = 1; i < 40; ++i) {
    if (!is_of_gone(i)) of_others.push_back(i);
  }
  ASSERT_FALSE(of_others.empty());
  kit_.options.timeout_ms = 100;
  kit_.open();
  EXPECT_EQ(kit_.body_at("key 0"), "body");
  cluster_.kill(gone);
  bool down_seen = false;
  EXPECT_TRUE(test::eventually([&] {
    for (const int number : of_others) {
      const auto body = kit_.body_at(key_of(number));
      down_seen = down_seen || !body;  // while the cluster says that it is down
    }
    return kit_.put("key 0", "newer") == StoreResult::Stored && kit_.body_at("key 0") == "newer";
  }));
  cluster_.await_ok();
  for (const int number : of_others) EXPECT_EQ(kit_.body_at(key_of(number)), "body");
  EXPECT_TRUE(test::eventually([&] {
    kit_.body_at("key 0");
    return !kit_.at().backend().stats().breaker_open;
  })) << "who has left is not said to be away for ever";
}

TEST_F(RedisClusterTest, AClusterThatHangsIsWaitedForNoLongerThanAnythingElse) {
  const auto all = [&](void (test::RedisServer::*order)()) {
    for (std::size_t i = 0; i < cluster_.size(); ++i) (cluster_.node(i).*order)();
  };
  kit_.options.timeout_ms = 100;
  all(&test::RedisServer::pause);
  for (int i = 0; i < 20; ++i) {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(kit_.put(key_of(i), "body"), StoreResult::Failed);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(1))
        << "to ask all nodes takes longer";
    turn(kit_.at().loop());
  }
  all(&test::RedisServer::go_on);
  EXPECT_TRUE(test::eventually([&] {
    turn(kit_.at().loop());
    return kit_.put("a", "body") == StoreResult::Stored;
  }));
}

TEST_F(RedisClusterTest, ANodeThatHangsIsPassedOver) {
  cluster_.node(0).pause();
  kit_.options.timeout_ms = 2'000;
  kit_.options.servers = cluster_at({cluster_.node(0).port(), cluster_.node(4).port()});
  EXPECT_TRUE(test::eventually([&] {
    return kit_.put(key_of(0), "body") == StoreResult::Stored ||
           kit_.put(key_of(1), "body") == StoreResult::Stored ||
           kit_.put(key_of(2), "body") == StoreResult::Stored;
  }));
  cluster_.node(0).go_on();
}

using ClusterLogTest = FleetLogTest;

TEST_F(ClusterLogTest, AFleetsLogLiesInOneSlotAndFollowsIt) {
  RedisCluster cluster;
  const redis::Topology servers = cluster_at(cluster.ports());
  Instance& a = fleet_.add(servers);
  Instance& b = fleet_.add(servers);
  ASSERT_TRUE(fleet_.begin());
  ASSERT_TRUE(fleet_.turn_until([&] {
    const auto applied = fleet_.purge(a, "one");
    return applied.confirmed && applied.acked == 2;
  }));
  EXPECT_GE(count(b, "one"), 1);

  const int slot = cluster.slot_of("cache:f:{weir-fleet}:log");
  const std::size_t from = cluster.master_of(slot);
  cluster.migrate_slot(slot, from, from == 0 ? 1 : 0);
  EXPECT_TRUE(fleet_.turn_until([&] { return fleet_.purge(b, "two").acked == 2; }));
  EXPECT_GE(count(a, "two"), 1);
  EXPECT_EQ(a.book.drops + b.book.drops, 0) << "the log has moved whole";
}

TEST_F(ClusterLogTest, WhatWasAcknowledgedOutlivesTheMasterOfTheLog) {
  RedisCluster cluster;
  const redis::Topology servers = cluster_at(cluster.ports());
  Instance& a = fleet_.add(servers);
  Instance& b = fleet_.add(servers);
  ASSERT_TRUE(fleet_.begin());
  ASSERT_TRUE(fleet_.turn_until([&] { return fleet_.purge(a, "one").confirmed; }));
  cluster.kill(cluster.master_of("cache:f:{weir-fleet}:log"));
  ASSERT_TRUE(fleet_.turn_until([&] { return !a.log->is_in_step() && !b.log->is_in_step(); }));
  a.log->append("meanwhile");
  ASSERT_TRUE(fleet_.all_in_step());
  EXPECT_TRUE(fleet_.turn_until([&] { return count(b, "meanwhile") == 1; }));
  EXPECT_THAT(b.book.applied, ::testing::Contains("all is stale")) << "another run of the master";
  Instance& c = fleet_.add(servers);
  ASSERT_TRUE(fleet_.all_in_step());
  EXPECT_GE(count(c, "one"), 1);
}

TEST_F(ClusterLogTest, AMasterIsReadOnceItsRunIsKnownToBeSound) {
  RedisCluster cluster;
  const redis::Topology servers = cluster_at(cluster.ports());
  Instance& a = fleet_.add(servers);
  Instance& b = fleet_.add(servers);
  ASSERT_TRUE(fleet_.begin());
  const std::size_t log_at = cluster.master_of("cache:f:{weir-fleet}:log");
  test::RedisServer& other = cluster.node(log_at == 0 ? 1 : 0);
  EXPECT_FALSE(may_read(other, a)) << "nobody has met it";
  const auto meet = [&](Instance& who, std::string_view run) {
    return fleet_.turn_until([&] {
      who.log->positions()->meet(run);
      return who.log->positions()->may_read(run);
    });
  };
  const std::string run = run_of(other);
  ASSERT_TRUE(meet(a, run));
  const auto stale = count(a, "all is stale");
  EXPECT_GE(stale, 1) << "what it holds was written by nobody knows whom";
  ASSERT_TRUE(meet(b, run));
  EXPECT_EQ(count(b, "all is stale"), stale) << "somebody has said so already";
  EXPECT_EQ(a.book.drops + b.book.drops, 0);
}

}  // namespace
}  // namespace weir::backends::testing
