// The fleet's log on a real server: what is appended is applied by all, and what happens to the
// server, or to an instance, is told from the log being whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/backends/redis/fleet_kit.h"

namespace weir::backends::testing {
namespace {

using redis::StreamPosition;
using test::RedisServer;
using test::RedisSetup;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

TEST_F(FleetLogTest, WhatOneAppendsAllApplyInOrder) {
  const RedisServer server;
  Instance& a = fleet_.add(server);
  Instance& b = fleet_.add(server);
  Instance& c = fleet_.add(server);
  ASSERT_TRUE(fleet_.begin());
  for (int i = 0; i < 3; ++i) {
    const auto applied = fleet_.purge(i == 1 ? b : a, "purge " + std::to_string(i));
    EXPECT_TRUE(applied.logged);
    EXPECT_TRUE(applied.confirmed);
    EXPECT_EQ(applied.live, 3U);
    EXPECT_EQ(applied.acked, 3U);
    for (const Instance* one : {&a, &b, &c}) {
      EXPECT_EQ(one->book.applied.back(), "purge " + std::to_string(i));
    }
  }
  EXPECT_EQ(a.book.drops + b.book.drops + c.book.drops, 0);
}

TEST_F(FleetLogTest, AnInstanceThatComesLaterReadsItFromTheBeginning) {
  const RedisServer server;
  Instance& a = fleet_.add(server);
  ASSERT_TRUE(fleet_.begin());
  for (int i = 0; i < 30; ++i) a.log->append(std::to_string(i));
  EXPECT_TRUE(fleet_.applied(a).logged);
  Instance& b = fleet_.add(server);
  ASSERT_TRUE(fleet_.all_in_step());
  EXPECT_EQ(a.book.applied, b.book.applied);
  EXPECT_EQ(fleet_.applied(b).live, 2U);
}

TEST_F(FleetLogTest, NothingIsReadBeforeItIsInStepNorBehindAnotherRun) {
  const RedisServer server;
  Instance& a = fleet_.add(server);
  EXPECT_FALSE(may_read(server, a));
  EXPECT_FALSE(a.log->positions()->shared(100)) << "and nothing can be written";
  ASSERT_TRUE(fleet_.begin());
  EXPECT_TRUE(may_read(server, a));
  EXPECT_FALSE(a.log->positions()->may_read("another run"));
  EXPECT_FALSE(a.log->positions()->may_read(""));
}

TEST_F(FleetLogTest, PositionsAreTranslatedBothWays) {
  const RedisServer server;
  Instance& a = fleet_.add(server);
  ASSERT_TRUE(fleet_.begin());
  const SharedPositions& positions = *a.log->positions();
  const std::uint64_t before = a.book.position;
  const auto shared_before = positions.shared(before).value();
  fleet_.purge(a, "purge");
  EXPECT_GT(a.book.position, before);
  const auto shared_after = positions.shared(a.book.position).value();
  EXPECT_GT(shared_after.at, shared_before.at);
  EXPECT_EQ(shared_after.at.text(), last_id(server));
  EXPECT_EQ(positions.own(shared_before), before) << "older than the purge";
  EXPECT_EQ(positions.own(shared_after), a.book.position) << "not older";
  EXPECT_EQ(positions.shared(before).value().at, shared_before.at)
      << "a fetch that began before it is so for good";
  EXPECT_EQ(positions.own({shared_after.log, {shared_after.at.ms + 1'000, 0}}), a.book.position)
      << "written by one who had applied more: what is not applied here yet comes later";
  EXPECT_FALSE(positions.shared(0)) << "a fetch that began before the log was looked at";
}

TEST_F(FleetLogTest, WhoSleepsIsWaitedForAsLongAsHisLease) {
  const RedisServer server;
  Instance& a = fleet_.add(server, 600);
  Instance& b = fleet_.add(server, 600);
  ASSERT_TRUE(fleet_.begin());
  fleet_.asleep = &b;
  auto applied = fleet_.purge(a, "purge 1");
  EXPECT_TRUE(applied.logged);
  EXPECT_GE(applied.live, applied.acked);
  EXPECT_EQ(applied.acked, 1U);
  ASSERT_TRUE(fleet_.turn_until([&] { return fleet_.purge(a, "purge 2").live == 1; }))
      << "its lease is over";
  // It wakes: nothing is read before it has caught up.
  EXPECT_FALSE(may_read(server, b));
  EXPECT_THAT(b.book.applied, Not(Contains("purge 2")));
  fleet_.asleep = nullptr;
  ASSERT_TRUE(fleet_.turn_until([&] { return may_read(server, b); }));
  EXPECT_THAT(b.book.applied, Contains("purge 2"));
  EXPECT_EQ(b.book.drops, 0);
  EXPECT_EQ(fleet_.applied(a).live, 2U);
}

TEST_F(FleetLogTest, AReplicaThatHangsHoldsUpNoPurge) {
  const RedisServer server;
  RedisServer replica(
      RedisSetup{.lines = {"replicaof 127.0.0.1 " + std::to_string(server.port())}});
  test::RedisClient client = server.client();
  ASSERT_TRUE(test::eventually(
      [&] { return client.must({"INFO", "replication"}).field("connected_slaves") == "1"; }));
  Instance& a = fleet_.add(server, 600);
  Instance& b = fleet_.add(server, 600);
  ASSERT_TRUE(fleet_.begin());
  ASSERT_TRUE(fleet_.turn_until([&] { return fleet_.purge(a, "purge").confirmed; }));
  replica.pause();
  std::vector<redis::FleetLog::Applied> answers;
  for (int i = 0; i < 20; ++i) {
    a.log->append(std::to_string(i));
    a.log->when_applied([&](const redis::FleetLog::Applied& one) { answers.push_back(one); });
  }
  ASSERT_TRUE(fleet_.turn_until([&] { return answers.size() == 20; }));
  for (const auto& one : answers) {
    EXPECT_TRUE(one.logged);
    EXPECT_FALSE(one.confirmed);
    EXPECT_EQ(one.live, 2U);
    EXPECT_EQ(one.acked, 2U);
  }
  EXPECT_THAT(b.book.applied, Contains("19"));
  EXPECT_TRUE(a.log->is_in_step());
}

TEST_F(FleetLogTest, WhoWaitsWhenItEndsIsTold) {
  const RedisServer server;
  Instance& a = fleet_.add(server);
  ASSERT_TRUE(fleet_.begin());
  int told = 0;
  a.log->append("purge");
  a.log->when_applied([&](const redis::FleetLog::Applied&) { ++told; });
  a.loop.turn();
  a.log->when_applied([&](const redis::FleetLog::Applied&) { ++told; });
  a.log.reset();
  fleet_.turn_all();
  EXPECT_EQ(told, 2);
}

TEST_F(FleetLogTest, AReplicaHasToHaveItWhereThereIsOne) {
  const RedisServer server;
  RedisServer replica(
      RedisSetup{.lines = {"replicaof 127.0.0.1 " + std::to_string(server.port())}});
  test::RedisClient client = server.client();
  ASSERT_TRUE(test::eventually([&] {
    return client.must({"INFO", "replication"}).field("slave0").find("state=online") !=
           std::string::npos;
  }));
  Instance& a = fleet_.add(server, 600);
  ASSERT_TRUE(fleet_.begin());
  // One that has just come says for the first time how far it is within a second.
  EXPECT_TRUE(fleet_.turn_until([&] { return fleet_.purge(a, "purge 1").confirmed; }));
  replica.pause();
  const auto applied = fleet_.purge(a, "purge 2");
  EXPECT_TRUE(applied.logged);
  EXPECT_FALSE(applied.confirmed);
  replica.go_on();
}

TEST_F(FleetLogTest, AServerThatTakesNoWritesIsNotRead) {
  // What is purged could not be told to anybody.
  const RedisServer server;
  test::RedisClient client = server.client();
  client.must({"CONFIG", "SET", "maxmemory", "1"});
  Instance& a = fleet_.add(server);
  for (int i = 0; i < 200; ++i) fleet_.turn_all();
  EXPECT_FALSE(may_read(server, a));
  client.must({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(fleet_.all_in_step());
}

TEST_F(FleetLogTest, WhoLeavesIsNotWaitedFor) {
  const RedisServer server;
  Instance& a = fleet_.add(server);
  Instance& b = fleet_.add(server);
  ASSERT_TRUE(fleet_.begin());
  b.log->leave();
  EXPECT_FALSE(may_read(server, b));
  ASSERT_TRUE(fleet_.turn_until([&] { return fleet_.applied(a).live == 1; }));
}

TEST(StreamPositionTest, IsReadAsItIsWritten) {
  EXPECT_EQ(redis::read_position("1526919030474-55")->text(), "1526919030474-55");
  EXPECT_EQ(redis::read_position(StreamPosition{5, 6}.padded())->text(), "5-6");
  EXPECT_LT((StreamPosition{9, 99}.padded()), (StreamPosition{10, 0}.padded()));
  EXPECT_LT((StreamPosition{9, 99}), (StreamPosition{10, 0}));
  for (const char* text : {"", "-", "1-", "-1", "1", "a-1", "1-a", "1-1-1", " 1-1"}) {
    EXPECT_FALSE(redis::read_position(text)) << text;
  }
}

}  // namespace
}  // namespace weir::backends::testing
