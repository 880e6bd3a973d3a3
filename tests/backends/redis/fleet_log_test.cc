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

class FleetLogTest : public ::testing::Test {
 protected:
  // How often the book has that entry.
  static std::ptrdiff_t count(const Instance& at, std::string_view entry) {
    return std::ranges::count(at.book.applied, entry);
  }
  static bool may_read(const RedisServer& server, const Instance& at) {
    const std::string run_id = server.client().must({"INFO", "server"}).field("run_id");
    return at.log->positions()->may_read(run_id);
  }
  static std::string last_id(const RedisServer& server) {
    test::RedisClient client = server.client();
    return client.must({"XREVRANGE", "cache:f:{weir-fleet}:log", "+", "-", "COUNT", "1"})
        .elements.at(0)
        .elements.at(0)
        .text;
  }

  FleetKit fleet_;
};

TEST_F(FleetLogTest, WhatOneAppendsAllApplyInOrder) {
  const RedisServer server;
  Instance& a = fleet_.add(server);
  Instance& b = fleet_.add(server);
  Instance& c = fleet_.add(server);
  ASSERT_TRUE(fleet_.all_in_step());
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
  ASSERT_TRUE(fleet_.all_in_step());
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
  ASSERT_TRUE(fleet_.all_in_step());
  EXPECT_TRUE(may_read(server, a));
  EXPECT_FALSE(a.log->positions()->may_read("another run"));
  EXPECT_FALSE(a.log->positions()->may_read(""));
}

TEST_F(FleetLogTest, PositionsAreTranslatedBothWays) {
  const RedisServer server;
  Instance& a = fleet_.add(server);
  ASSERT_TRUE(fleet_.all_in_step());
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
  ASSERT_TRUE(fleet_.all_in_step());
  fleet_.asleep = &b;
  auto applied = fleet_.purge(a, "purge 1");
  EXPECT_TRUE(applied.logged);
  EXPECT_GE(applied.live, applied.acked);
  EXPECT_EQ(applied.acked, 1U);
  applied = fleet_.purge(a, "purge 2");
  EXPECT_EQ(applied.live, 1U) << "its lease is over";
  EXPECT_EQ(applied.acked, 1U);
  // It wakes: nothing is read before it has caught up.
  EXPECT_FALSE(may_read(server, b));
  EXPECT_THAT(b.book.applied, Not(Contains("purge 2")));
  fleet_.asleep = nullptr;
  ASSERT_TRUE(fleet_.turn_until([&] { return may_read(server, b); }));
  EXPECT_THAT(b.book.applied, Contains("purge 2"));
  EXPECT_EQ(b.book.drops, 0);
  EXPECT_EQ(fleet_.applied(a).live, 2U);
}

TEST_F(FleetLogTest, WhatIsPurgedWhileTheServerIsAwayComesBeforeAnythingIsRead) {
  RedisServer server(RedisSetup{.lines = {"appendonly yes", "appendfsync always"}});
  Instance& a = fleet_.add(server);
  Instance& b = fleet_.add(server);
  ASSERT_TRUE(fleet_.all_in_step());
  fleet_.purge(a, "before");
  server.kill();
  ASSERT_TRUE(fleet_.turn_until([&] { return !a.log->is_in_step() && !b.log->is_in_step(); }));
  a.log->append("meanwhile");
  EXPECT_FALSE(fleet_.applied(a).logged);
  server.start_again();
  ASSERT_TRUE(fleet_.turn_until([&] { return may_read(server, a); }));
  EXPECT_EQ(count(a, "meanwhile"), 1) << "it is in the log, and read back";
  ASSERT_TRUE(fleet_.turn_until([&] { return count(b, "meanwhile") == 1; }));
  EXPECT_THAT(b.book.applied, Contains("all is stale")) << "another run of the server";
  EXPECT_EQ(count(b, "before"), 1);
  EXPECT_EQ(a.book.drops + b.book.drops, 0) << "the log is whole";
}

TEST_F(FleetLogTest, WhatTheServerHasLostIsSaidAgain) {
  // It persists nothing: an empty one comes back.
  RedisServer server;
  Instance& a = fleet_.add(server);
  Instance& b = fleet_.add(server);
  ASSERT_TRUE(fleet_.all_in_step());
  fleet_.purge(a, "purge 1");
  fleet_.purge(b, "purge 2");
  const auto old = a.log->positions()->shared(a.book.position).value();
  const std::uint64_t own_then = a.book.position;
  server.kill();
  ASSERT_TRUE(fleet_.turn_until([&] { return !a.log->is_in_step(); }));
  server.start_again();
  ASSERT_TRUE(fleet_.turn_until([&] { return may_read(server, a) && may_read(server, b); }));
  EXPECT_EQ(a.book.drops + b.book.drops, 0) << "both were in step until it went";
  Instance& c = fleet_.add(server);
  ASSERT_TRUE(fleet_.all_in_step());
  EXPECT_THAT(c.book.applied, Contains("purge 1"));
  EXPECT_THAT(c.book.applied, Contains("purge 2"));
  EXPECT_THAT(c.book.applied, Contains("all is stale"));
  // What was written under the old log is older than all that was said in the new one.
  const auto again = a.log->positions()->own(old);
  ASSERT_TRUE(again);
  EXPECT_GT(*again, own_then);
  EXPECT_LT(*again, a.book.position);
}

TEST_F(FleetLogTest, ALogWhoseEndIsMissingIsAnotherLog) {
  // As after a failover to a replica that was behind: it comes back as it was saved.
  RedisServer server;
  Instance& a = fleet_.add(server);
  Instance& b = fleet_.add(server);
  ASSERT_TRUE(fleet_.all_in_step());
  fleet_.purge(a, "saved");
  server.client().must({"SAVE"});
  fleet_.purge(a, "lost");
  const std::uint64_t old_log = a.log->positions()->shared(a.book.position).value().log;
  server.kill();
  ASSERT_TRUE(fleet_.turn_until([&] { return !a.log->is_in_step() && !b.log->is_in_step(); }));
  server.start_again();
  ASSERT_TRUE(fleet_.turn_until([&] { return may_read(server, a) && may_read(server, b); }));
  EXPECT_NE(a.log->positions()->shared(a.book.position).value().log, old_log);
  Instance& c = fleet_.add(server);
  ASSERT_TRUE(fleet_.all_in_step());
  EXPECT_THAT(c.book.applied, Contains("lost"));
  EXPECT_THAT(c.book.applied, Contains("saved"));
  EXPECT_THAT(c.book.applied, Contains("all is stale"));
  EXPECT_EQ(a.book.drops + b.book.drops, 0);
}

TEST_F(FleetLogTest, WhoWasAwayWhileTheLogWasLostDropsItsOwn) {
  RedisServer server;
  Instance& a = fleet_.add(server, 400);
  Instance& b = fleet_.add(server, 400);
  ASSERT_TRUE(fleet_.all_in_step());
  fleet_.asleep = &b;
  ASSERT_TRUE(fleet_.turn_until([&] { return fleet_.applied(a).live == 1; }));
  fleet_.purge(a, "b does not hear of it");
  server.kill();
  server.start_again();
  fleet_.asleep = nullptr;
  ASSERT_TRUE(fleet_.turn_until([&] { return may_read(server, a) && may_read(server, b); }));
  EXPECT_GE(b.book.drops, 1);
}

TEST_F(FleetLogTest, ALogIsTrimmedAndWhoSleptThroughItDropsItsOwn) {
  const RedisServer server;
  Instance& a = fleet_.add(server, 400);
  Instance& b = fleet_.add(server, 400);
  ASSERT_TRUE(fleet_.all_in_step());
  fleet_.purge(a, "first");
  const auto first = a.log->positions()->shared(a.book.position).value();
  fleet_.asleep = &b;
  test::RedisClient client = server.client();
  const auto length = [&] { return client.must({"XLEN", "cache:f:{weir-fleet}:log"}).number; };
  ASSERT_TRUE(fleet_.turn_until([&] {
    fleet_.purge(a, "purge");
    return length() <= 45 && !a.log->positions()->own(first);
  }));
  EXPECT_GE(length(), 40) << "as many as it is to keep";
  fleet_.asleep = nullptr;
  ASSERT_TRUE(fleet_.turn_until([&] { return may_read(server, b); }));
  EXPECT_EQ(b.book.drops, 1);
  EXPECT_EQ(a.book.drops, 0);
  // One that comes new knows the floor, too.
  Instance& c = fleet_.add(server);
  ASSERT_TRUE(fleet_.all_in_step());
  EXPECT_FALSE(c.log->positions()->own(first));
  EXPECT_FALSE(b.log->positions()->own(first));
}

TEST_F(FleetLogTest, AServerThatHangsIsAwayAndWhatItHeardOfIsReadOnce) {
  RedisServer server;
  Instance& a = fleet_.add(server);
  ASSERT_TRUE(fleet_.all_in_step());
  server.pause();
  a.log->append("purge");
  EXPECT_FALSE(fleet_.applied(a).logged);
  ASSERT_TRUE(fleet_.turn_until([&] { return !a.log->is_in_step(); }));
  server.go_on();
  ASSERT_TRUE(fleet_.turn_until([&] { return may_read(server, a); }));
  EXPECT_GE(count(a, "purge"), 1);
  EXPECT_EQ(a.book.drops, 0);
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
  ASSERT_TRUE(fleet_.all_in_step());
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
  ASSERT_TRUE(fleet_.all_in_step());
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
