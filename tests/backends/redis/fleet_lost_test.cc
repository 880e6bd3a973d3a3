// What a server loses, or is away, and what an instance has missed: told from the log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/backends/redis/fleet_kit.h"

namespace weir::backends::testing {
namespace {

using test::RedisServer;
using test::RedisSetup;
using ::testing::Contains;

using FleetLostTest = FleetLogTest;

TEST_F(FleetLostTest, WhatIsPurgedWhileTheServerIsAwayComesBeforeAnythingIsRead) {
  RedisServer server(RedisSetup{.lines = {"appendonly yes", "appendfsync always"}});
  Instance& a = fleet_.add(server);
  Instance& b = fleet_.add(server);
  ASSERT_TRUE(fleet_.begin());
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

TEST_F(FleetLostTest, APurgeOfWhichNobodyHasSaidThatHeHasItIsNotAcknowledged) {
  // It stands in the log; then the server is gone before it was asked how far all are.
  RedisServer server;
  Instance& a = fleet_.add(server);
  Instance& b = fleet_.add(server);
  ASSERT_TRUE(fleet_.begin());
  fleet_.asleep = &b;
  a.log->append("purge");
  std::optional<redis::FleetLog::Applied> told;
  a.log->when_applied([&](redis::FleetLog::Applied applied) { told = applied; });
  ASSERT_TRUE(fleet_.turn_until([&] { return count(a, "purge") == 1; }));
  server.kill();
  ASSERT_TRUE(fleet_.turn_until([&] { return told.has_value(); }));
  EXPECT_LT(told->acked, told->live);
}

TEST_F(FleetLostTest, AServerThatHasForgottenWhoIsLiveProvesNothing) {
  // b has not noticed yet that all was flushed, and is not among the members any more.
  RedisServer server;
  Instance& a = fleet_.add(server);
  Instance& b = fleet_.add(server);
  ASSERT_TRUE(fleet_.begin());
  ASSERT_TRUE(fleet_.purge(a, "before").all_known);
  fleet_.asleep = &b;
  server.client().must({"FLUSHALL"});
  ASSERT_TRUE(fleet_.turn_until([&] { return count(a, "all is stale") > 0; }));
  ASSERT_TRUE(fleet_.all_in_step());
  const auto applied = fleet_.purge(a, "purge");
  EXPECT_TRUE(applied.logged);
  EXPECT_FALSE(applied.all_known);
}

TEST_F(FleetLostTest, WhatTheServerHasLostIsSaidAgain) {
  // It persists nothing: an empty one comes back.
  RedisServer server;
  Instance& a = fleet_.add(server);
  Instance& b = fleet_.add(server);
  ASSERT_TRUE(fleet_.begin());
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

TEST_F(FleetLostTest, ALogWhoseEndIsMissingIsAnotherLog) {
  // As after a failover to a replica that was behind: it comes back as it was saved.
  RedisServer server;
  Instance& a = fleet_.add(server);
  Instance& b = fleet_.add(server);
  ASSERT_TRUE(fleet_.begin());
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

TEST_F(FleetLostTest, ALostEndIsNoticedAlsoBehindWhatAnotherHasAppendedSince) {
  // The one that comes back first knows of nothing that is lost, and appends.
  RedisServer server;
  Instance& a = fleet_.add(server, 400);
  Instance& b = fleet_.add(server, 400);
  ASSERT_TRUE(fleet_.begin());
  fleet_.purge(a, "saved");
  server.client().must({"SAVE"});
  fleet_.asleep = &b;
  ASSERT_TRUE(fleet_.turn_until([&] { return fleet_.applied(a).live == 1; }));
  EXPECT_EQ(fleet_.purge(a, "lost").live, 1U);
  server.kill();
  ASSERT_TRUE(fleet_.turn_until([&] { return !a.log->is_in_step(); }));
  server.start_again();
  fleet_.asleep = &a;
  ASSERT_TRUE(fleet_.turn_until([&] { return may_read(server, b); }));
  EXPECT_GE(b.book.drops, 1) << "its server was replaced while it was away";
  fleet_.asleep = nullptr;
  ASSERT_TRUE(fleet_.turn_until([&] { return may_read(server, a) && may_read(server, b); }));
  ASSERT_TRUE(fleet_.turn_until([&] { return count(b, "lost") > 0; }));
}

TEST_F(FleetLostTest, WhoseNameIsForgottenJoinsAgain) {
  // A server that was flushed, of which a key was removed, or evicted: its connections stay.
  for (const std::vector<std::string>& command : {std::vector<std::string>{"FLUSHALL"},
                                                  {"DEL", "cache:f:{weir-fleet}:members"},
                                                  {"DEL", "cache:f:{weir-fleet}:id"}}) {
    SCOPED_TRACE(command.back());
    FleetKit fleet;
    const RedisServer server;
    Instance& a = fleet.add(server, 900);
    Instance& b = fleet.add(server, 900);
    ASSERT_TRUE(fleet.begin());
    fleet.purge(a, "purge");
    server.client().must(command);
    ASSERT_TRUE(fleet.turn_until([&] { return fleet.applied(a).live == 2; }));
    ASSERT_TRUE(fleet.turn_until([&] { return may_read(server, a) && may_read(server, b); }));
    Instance& c = fleet.add(server, 900);
    ASSERT_TRUE(fleet.all_in_step());
    EXPECT_THAT(c.book.applied, Contains("purge"));
  }
}

TEST_F(FleetLostTest, WhereMoreIsDoubtfulThanCanBeRememberedAllIsSaidStale) {
  const RedisServer server;
  Instance& a = fleet_.add(server, 600);
  ASSERT_TRUE(fleet_.begin());
  const std::ptrdiff_t before = count(a, "all is stale");
  const std::uint64_t doubt = a.log->positions()->doubt();
  EXPECT_LT(a.log->positions()->resolved(), doubt);
  ASSERT_TRUE(fleet_.turn_until([&] { return a.log->positions()->resolved() >= doubt; }));
  EXPECT_EQ(count(a, "all is stale"), before + 1);
  ASSERT_TRUE(fleet_.turn_until([&] { return may_read(server, a); }));
}

TEST_F(FleetLostTest, MoreThanTheLogKeepsIsSaidAsAll) {
  RedisServer server(RedisSetup{.lines = {"appendonly yes"}});
  Instance& a = fleet_.add(server);
  Instance& b = fleet_.add(server);
  ASSERT_TRUE(fleet_.begin());
  server.kill();
  ASSERT_TRUE(fleet_.turn_until([&] { return !a.log->is_in_step() && !b.log->is_in_step(); }));
  for (int i = 0; i < 1'000; ++i) a.log->append(std::to_string(i));
  fleet_.turn_all();
  EXPECT_LE(a.log->pending().size(), 40U);
  server.start_again();
  ASSERT_TRUE(fleet_.turn_until([&] { return may_read(server, a) && may_read(server, b); }));
  EXPECT_TRUE(fleet_.turn_until([&] { return count(b, "all is dead") > 0; }));
  EXPECT_TRUE(fleet_.applied(a).logged);
}

TEST_F(FleetLostTest, AFullLogThatIsLostIsSaidAsAllAndJoinedOnce) {
  // Each instance says what it knew. Said one by one by all of them it would be more than the log
  // keeps, and whoever has joined would be behind its floor again.
  RedisServer server;
  for (int i = 0; i < 3; ++i) fleet_.add(server);
  ASSERT_TRUE(fleet_.begin());
  Instance& a = fleet_.at(0);
  for (int i = 0; i < 38; ++i) a.log->append("purge " + std::to_string(i));
  ASSERT_TRUE(fleet_.turn_until([&] { return fleet_.applied(a).acked == 3; }));
  server.kill();
  ASSERT_TRUE(fleet_.turn_until([&] { return fleet_.none_in_step(); }));
  server.start_again();
  ASSERT_TRUE(fleet_.all_in_step());
  ASSERT_TRUE(fleet_.turn_until([&] { return fleet_.applied(a).acked == 3; }));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_GE(count(fleet_.at(i), "all is dead"), 1);
    EXPECT_EQ(fleet_.at(i).book.drops, 0) << "nobody has missed anything";
  }
  // The server keeps a few entries, and all are in step with it still.
  EXPECT_LT(server.client().must({"XLEN", "cache:f:{weir-fleet}:log"}).number, 38);
}

TEST_F(FleetLostTest, WhoWasAwayWhileTheLogWasLostDropsItsOwn) {
  RedisServer server;
  Instance& a = fleet_.add(server, 400);
  Instance& b = fleet_.add(server, 400);
  ASSERT_TRUE(fleet_.begin());
  fleet_.asleep = &b;
  ASSERT_TRUE(fleet_.turn_until([&] { return fleet_.applied(a).live == 1; }));
  fleet_.purge(a, "b does not hear of it");
  server.kill();
  server.start_again();
  fleet_.asleep = nullptr;
  ASSERT_TRUE(fleet_.turn_until([&] { return may_read(server, a) && may_read(server, b); }));
  EXPECT_GE(b.book.drops, 1);
}

TEST_F(FleetLostTest, ALogIsTrimmedAndWhoSleptThroughItDropsItsOwn) {
  const RedisServer server;
  Instance& a = fleet_.add(server, 400);
  Instance& b = fleet_.add(server, 400);
  ASSERT_TRUE(fleet_.begin());
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

TEST_F(FleetLostTest, AServerThatHangsIsAwayAndWhatItHeardOfIsReadOnce) {
  RedisServer server;
  Instance& a = fleet_.add(server);
  ASSERT_TRUE(fleet_.begin());
  server.pause();
  a.log->append("purge");
  EXPECT_FALSE(fleet_.applied(a).logged);
  ASSERT_TRUE(fleet_.turn_until([&] { return !a.log->is_in_step(); }));
  server.go_on();
  ASSERT_TRUE(fleet_.turn_until([&] { return may_read(server, a); }));
  EXPECT_GE(count(a, "purge"), 1);
  EXPECT_EQ(a.book.drops, 0);
}

}  // namespace
}  // namespace weir::backends::testing
