// What the Redis backend leaves in a real server, and what it makes of what stands there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backends/ram/ram_backend.h"
#include "backends/redis/doubtful_keys.h"
#include "backends/redis/names.h"
#include "backends/tiered.h"
#include "tests/backends/redis/redis_kit.h"

namespace weir::backends::testing {
namespace {

using test::RedisServer;

constexpr std::size_t kKiB = 1024;

class RedisBackendTest : public ::testing::Test {
 protected:
  std::string name(std::string_view key) const {
    return redis::object_name(kit_.options.prefix, key);
  }
  std::vector<std::string> names() {
    return client_.must({"KEYS", kit_.options.prefix + "*"}).texts();
  }
  // All that is there of a body in pieces.
  std::vector<std::string> pieces() {
    std::vector<std::string> out;
    for (const std::string& one : names()) {
      if (one != name("large")) out.push_back(one);
    }
    return out;
  }
  static std::string patterned(std::size_t bytes) {
    std::string out;
    out.reserve(bytes);
    for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>('a' + i * i % 23));
    return out;
  }

  RedisServer server_;
  test::RedisClient client_ = server_.client();
  RedisKit kit_{server_};
};

TEST_F(RedisBackendTest, BodiesOfAllSizesComeBack) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, 4 * kKiB, 64 * kKiB - 1, 64 * kKiB,
                                 64 * kKiB + 1, 1024 * kKiB, 3'000'000UL}) {
    SCOPED_TRACE(size);
    const std::string body = patterned(size);
    EXPECT_EQ(kit_.put("a", body), StoreResult::Stored);
    EXPECT_EQ(kit_.body_at("a"), body);
  }
}

TEST_F(RedisBackendTest, AnotherInstanceFindsIt) {
  kit_.put("small", "hello");
  kit_.put("large", patterned(200'000));
  RedisKit other(server_);
  other.options = kit_.options;
  EXPECT_EQ(other.body_at("small"), "hello");
  EXPECT_EQ(other.body_at("large"), patterned(200'000));
  other.close();
  other.options.prefix += "other:";
  EXPECT_EQ(other.body_at("small"), std::nullopt);
}

TEST_F(RedisBackendTest, EverythingLeavesByItself) {
  // Freshness of a minute, stale windows of half a minute, and what is kept to be validated.
  kit_.options.keep_s = 100;
  EntryParts parts;
  parts.key = "large";
  parts.hash = hash128("large");
  parts.meta.response_ms = kit_.at().loop().now_ms();
  parts.meta.lifetime_s = 60;
  parts.meta.initial_age_s = 10;
  parts.meta.stale_if_error_s = 30;
  parts.fields.add("Content-Length", "150000");
  parts.body = make_body(patterned(150'000));
  ASSERT_EQ(kit_.at().put(make_entry(std::move(parts))), StoreResult::Stored);
  EXPECT_EQ(names().size(), 4U);
  for (const std::string& one : names()) {
    const std::int64_t left_ms = client_.must({"PTTL", one}).number;
    EXPECT_LE(left_ms, 180'000) << one;
    EXPECT_GT(left_ms, 150'000) << one;
  }
}

TEST_F(RedisBackendTest, TheTimeInTheServerIsPartOfTheAge) {
  // The server's word alone: what is left of the expiry that it was given.
  const std::int64_t now_ms = kit_.at().loop().now_ms();
  EntryParts parts;
  parts.key = "a";
  parts.hash = hash128("a");
  parts.meta.response_ms = now_ms;
  parts.fields.add("Content-Length", "5");
  parts.body = make_body("hello");
  kit_.at().put(make_entry(std::move(parts)));
  const std::int64_t left_ms = client_.must({"PTTL", name("a")}).number;
  client_.must({"PEXPIRE", name("a"), std::to_string(left_ms - 100'000)});
  const EntryRef found = kit_.at().find("a");
  ASSERT_TRUE(found);
  const std::int64_t lain_ms = now_ms - found->meta().response_ms;
  EXPECT_GE(lain_ms, 99'000);
  EXPECT_LE(lain_ms, 110'000);
}

TEST_F(RedisBackendTest, WhatHasNoExpiryIsNotOurs) {
  kit_.put("a", "hello");
  client_.must({"PERSIST", name("a")});
  EXPECT_EQ(kit_.body_at("a"), std::nullopt);
}

TEST_F(RedisBackendTest, WhatIsOlderThanCanBeToldIsNotThere) {
  kit_.put("a", "hello");
  kit_.positions->floor = 1;
  EXPECT_EQ(kit_.body_at("a"), std::nullopt);
}

TEST_F(RedisBackendTest, AnyChangedByteOfASmallOneIsAMiss) {
  kit_.put("a", "hello");
  const std::string value = client_.must({"GET", name("a")}).text;
  for (std::size_t at = 0; at < value.size(); ++at) {
    std::string changed = value;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    client_.must({"SET", name("a"), changed, "PX", "1000000"});
    ASSERT_EQ(kit_.body_at("a"), std::nullopt) << at;
  }
  for (std::size_t size = 0; size < value.size(); size += 7) {
    client_.must({"SET", name("a"), value.substr(0, size), "PX", "1000000"});
    ASSERT_EQ(kit_.body_at("a"), std::nullopt) << size;
  }
  client_.must({"SET", name("a"), value + "x", "PX", "1000000"});
  EXPECT_EQ(kit_.body_at("a"), std::nullopt);
  client_.must({"SET", name("a"), value, "PX", "1000000"});
  EXPECT_EQ(kit_.body_at("a"), "hello");
}

TEST_F(RedisBackendTest, ForeignValuesAreMissesAndAreReplaced) {
  kit_.put("another", "its own");
  const std::string another = client_.must({"GET", name("another")}).text;
  const std::vector<std::vector<std::string>> foreign = {
      {"SET", name("a"), "garbage", "PX", "1000000"},
      {"SET", name("a"), std::string(600'000, 'x'), "PX", "1000000"},
      {"SET", name("a"), another, "PX", "1000000"},
      {"LPUSH", name("a"), "1"},
      {"HSET", name("a"), "f", "v"},
  };
  for (const auto& command : foreign) {
    SCOPED_TRACE(command[0] + " " + std::to_string(command[2].size()));
    client_.must({"DEL", name("a")});
    client_.must(command);
    EXPECT_EQ(kit_.body_at("a"), std::nullopt);
    EXPECT_EQ(kit_.put("a", "ours"), StoreResult::Stored);
    EXPECT_EQ(kit_.body_at("a"), "ours");
  }
}

TEST_F(RedisBackendTest, AValueBeyondAllOursEndsTheConnectionAndNothingElse) {
  client_.must({"SET", name("a"), std::string(3'000'000, 'x'), "PX", "1000000"});
  EXPECT_EQ(kit_.body_at("a"), std::nullopt);
  kit_.put("b", "hello");
  EXPECT_EQ(kit_.body_at("b"), "hello");
}

TEST_F(RedisBackendTest, ALargeOneOfWhichAPieceIsMissingIsAMiss) {
  const std::string body = patterned(200'000);
  kit_.put("large", body);
  ASSERT_EQ(pieces().size(), 4U);
  for (const std::string& piece : pieces()) {
    const std::string kept = client_.must({"GET", piece}).text;
    client_.must({"DEL", piece});
    EXPECT_EQ(kit_.at().find("large"), nullptr) << "told before the head goes out";
    client_.must({"SET", piece, kept, "PX", "1000000"});
  }
  EXPECT_EQ(kit_.body_at("large"), body);
}

TEST_F(RedisBackendTest, AChangedPieceIsNeverReadAsOne) {
  const std::string body = patterned(200'000);
  kit_.put("large", body);
  for (const std::string& piece : pieces()) {
    const std::string kept = client_.must({"GET", piece}).text;
    for (const std::size_t at :
         {std::size_t{0}, std::size_t{10}, std::size_t{20}, kept.size() - 1}) {
      std::string changed = kept;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      client_.must({"SET", piece, changed, "PX", "1000000"});
      EXPECT_EQ(kit_.body_at("large"), std::nullopt) << at;
    }
    client_.must({"SET", piece, kept.substr(0, kept.size() / 2), "PX", "1000000"});
    EXPECT_EQ(kit_.body_at("large"), std::nullopt);
    client_.must({"SET", piece, kept, "PX", "1000000"});
  }
  EXPECT_EQ(kit_.body_at("large"), body);
}

TEST_F(RedisBackendTest, ALargeOneThatIsAskedForAgainComesIntoANearerTierToo) {
  const auto ram = make_ram_backend({.name = "ram", .max_object_size = 300'000});
  Attached tiers(make_tiered({ram, kit_.at().share()}));
  const auto in_ram = ram->attach(tiers.loop());
  const auto near = [&](std::string_view key) {
    return in_ram->lookup_now({key, hash128(key)}, Purpose::Probe);
  };
  const auto find_and_wait = [&](std::string_view key) {
    EXPECT_NE(tiers.find(key), nullptr);
    for (int i = 0; i < 8 && !near(key); ++i) turn(tiers.loop());
  };
  const std::string body = patterned(200'000);
  for (const std::string_view key : {"large", "larger"}) {
    kit_.put(key, key == "large" ? body : patterned(400'000));
  }
  find_and_wait("large");
  EXPECT_EQ(near("large"), nullptr) << "it was asked for once";
  tiers.find("large");
  EXPECT_TRUE(test::eventually([&] {
    turn(tiers.loop());
    return near("large") != nullptr;
  }));
  const EntryRef copy = near("large");
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(text_of(*copy), body);
  EXPECT_EQ(copy->meta().status, kit_.at().find("large")->meta().status);
  EXPECT_EQ(copy->tags(), kit_.at().find("large")->tags());
  // What the nearer one does not take stays where it is.
  for (int i = 0; i < 3; ++i) find_and_wait("larger");
  EXPECT_EQ(near("larger"), nullptr);
}

TEST_F(RedisBackendTest, WhatIsReplacedWhileItIsBroughtNearerIsNotBroughtThere) {
  const auto ram = make_ram_backend({.name = "ram"});
  Attached tiers(make_tiered({ram, kit_.at().share()}));
  const auto in_ram = ram->attach(tiers.loop());
  kit_.put("large", patterned(2'000'000));
  tiers.find("large");
  tiers.find("large");  // its body is on its way
  tiers.erase("large");
  for (int i = 0; i < 8; ++i) turn(tiers.loop());
  EXPECT_EQ(in_ram->lookup_now({"large", hash128("large")}, Purpose::Probe), nullptr);
}

TEST_F(RedisBackendTest, WhatIsErasedWhileItsPiecesAreOnTheirWayIsNotThereAfterwards) {
  kit_.put("first", "so that the links stand");
  store_unheard(kit_.at().store(), entry_of("large", patterned(4'000'000)));
  kit_.at().erase("large");
  const auto is_idle = [&] {
    turn(kit_.at().loop());
    return kit_.put("last", patterned(100'000)) == StoreResult::Stored;
  };
  ASSERT_TRUE(test::eventually(is_idle)) << "the same links have answered what was before it";
  EXPECT_EQ(kit_.at().find("large"), nullptr);
  EXPECT_EQ(client_.must({"EXISTS", name("large")}).number, 0);
}

TEST_F(RedisBackendTest, ANewGenerationHasPiecesOfItsOwn) {
  // Who reads the old one goes on, also when the new one is there.
  const std::string old_body = patterned(200'000);
  kit_.put("large", old_body);
  const EntryRef old_entry = kit_.at().find("large");
  ASSERT_TRUE(old_entry);
  kit_.put("large", std::string(200'000, 'n'));
  EXPECT_EQ(kit_.read_all(*old_entry), old_body);
  EXPECT_EQ(kit_.body_at("large"), std::string(200'000, 'n'));
}

TEST_F(RedisBackendTest, WhatTheServerRefusesLeavesNothingOlder) {
  kit_.put("small", "old");
  kit_.put("large", patterned(200'000));
  client_.must({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_EQ(kit_.put("small", "new"), StoreResult::Failed);
  EXPECT_EQ(kit_.put("large", patterned(100'000)), StoreResult::Failed);
  EXPECT_EQ(kit_.body_at("small"), std::nullopt);
  EXPECT_EQ(kit_.body_at("large"), std::nullopt);
  EXPECT_EQ(client_.must({"EXISTS", name("small"), name("large")}).number, 0);
  EXPECT_EQ(kit_.at().stats().dropped, 2U);
  EXPECT_FALSE(kit_.at().stats().breaker_open) << "it answers: reads go on";
  client_.must({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(kit_.put("small", "newer"), StoreResult::Stored);
  EXPECT_EQ(kit_.body_at("small"), "newer");
}

TEST_F(RedisBackendTest, AReplicaThatTakesNoWritesServesWhatItHas) {
  kit_.put("a", "hello");
  client_.must({"REPLICAOF", "127.0.0.1", "1"});
  EXPECT_EQ(kit_.body_at("a"), "hello");
  EXPECT_EQ(kit_.put("b", "hello"), StoreResult::Failed);
  client_.must({"REPLICAOF", "NO", "ONE"});
  EXPECT_EQ(kit_.put("b", "hello"), StoreResult::Stored);
}

TEST_F(RedisBackendTest, WhatWasWrittenWhileItWasAwayIsNotTheOldOneAfterwards) {
  kit_.options.timeout_ms = 50;
  while (kit_.put("a", "old") != StoreResult::Stored) {
  }
  server_.pause();
  EXPECT_EQ(kit_.put("a", "new"), StoreResult::Failed);
  server_.go_on();
  // As soon as it is asked again: the new one or none.
  for (int i = 0; i < 50; ++i) EXPECT_NE(kit_.body_at("a"), "old");
}

TEST_F(RedisBackendTest, WhereTooMuchIsDoubtfulNothingIsReadNorRemovedUntilItIsSaidStale) {
  kit_.put("b", "another's");
  client_.must({"CONFIG", "SET", "maxmemory", "1"});
  const std::size_t more = redis::DoubtfulKeys::kMost + 1;
  client_.must({"REPLICAOF", "127.0.0.1", "1"});  // takes neither writes nor removals
  for (std::size_t i = 0; i < more; ++i) kit_.at().erase("key" + std::to_string(i));
  kit_.put("a", "x");
  EXPECT_EQ(kit_.positions->doubts, 1U);
  client_.must({"REPLICAOF", "NO", "ONE"});
  client_.must({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(kit_.body_at("b"), std::nullopt);
  EXPECT_EQ(client_.must({"EXISTS", name("b")}).number, 1) << "it is others' too";
  kit_.positions->resolved_to = 1;
  EXPECT_TRUE(test::eventually([&] { return kit_.body_at("b") == "another's"; }));
}

TEST_F(RedisBackendTest, AServerThatHangsCostsItsTimeOutAFewTimes) {
  kit_.options.timeout_ms = 50;
  while (kit_.put("a", "hello") != StoreResult::Stored) {
  }
  server_.pause();
  const std::int64_t began = kit_.at().loop().now_ms();
  for (int i = 0; i < 200; ++i) EXPECT_EQ(kit_.body_at("a"), std::nullopt);
  EXPECT_LT(kit_.at().loop().now_ms() - began, 1'000);
  EXPECT_TRUE(kit_.at().stats().breaker_open);
  server_.go_on();
  EXPECT_TRUE(test::eventually([&] { return kit_.body_at("a") == "hello"; }));
  EXPECT_FALSE(kit_.at().stats().breaker_open);
}

TEST_F(RedisBackendTest, AServerThatRestartsIsFoundAgain) {
  kit_.put("a", "hello");
  server_.kill();
  EXPECT_EQ(kit_.body_at("a"), std::nullopt);
  server_.start_again();
  EXPECT_TRUE(test::eventually([&] { return kit_.put("b", "again") == StoreResult::Stored; }));
  EXPECT_EQ(kit_.body_at("b"), "again");
  EXPECT_EQ(kit_.body_at("a"), std::nullopt) << "it persists nothing";
}

TEST_F(RedisBackendTest, ListsValuesOfLongNamesAndHeads) {
  const std::string first(1, keys::kValueKeyVersion);
  std::vector<std::string> expected;
  for (const std::size_t size : {std::size_t{1}, 100 * kKiB / 32, 6 * kKiB}) {
    expected.push_back(first + std::string(size, 'k'));
    kit_.put(expected.back(), "x");
  }
  expected.push_back(first + "large");
  kit_.put(expected.back(), patterned(200'000));
  client_.must({"SET", kit_.options.prefix + "v:foreign", "garbage"});
  EXPECT_THAT(list_keys(kit_.at().store(), keys::kValueKeyVersion, kit_.at().loop()),
              ::testing::UnorderedElementsAreArray(expected));
}

}  // namespace
}  // namespace weir::backends::testing
