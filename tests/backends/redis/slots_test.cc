// Which slot a name is in, and what a cluster's nodes say of who has which.
#include "backends/redis/slots.h"

#include <gtest/gtest.h>

#include "backends/redis/names.h"
#include "cachekeys/key.h"

namespace weir::backends::redis {
namespace {

Reply integer(std::int64_t value) {
  Reply out;
  out.type = Reply::Type::Integer;
  out.integer = value;
  return out;
}
Reply bulk(std::string text) {
  Reply out;
  out.type = Reply::Type::Bulk;
  out.text = std::move(text);
  return out;
}
Reply array(std::vector<Reply> elements) {
  Reply out;
  out.type = Reply::Type::Array;
  out.elements = std::move(elements);
  return out;
}
Reply range(std::int64_t first, std::int64_t last, std::string host, std::int64_t port) {
  return array({integer(first), integer(last), array({bulk(std::move(host)), integer(port)})});
}
Reply error(std::string text) {
  Reply out;
  out.type = Reply::Type::Error;
  out.text = std::move(text);
  return out;
}

TEST(Slots, ANameHasTheSlotThatRedisGivesIt) {
  const struct {
    std::string_view name;
    std::size_t slot;
  } rows[] = {
      {"", 0},
      {"123456789", 0x31C3},
      {"foo", 12'182},
      {"bar", 5061},
      {"hello", 866},
      {"{user1000}.following", 3443},
      {"user1000", 3443},
      {"foo{}{bar}", 8363},
      {"foo{{bar}}zap", 4015},
      {"foo{bar}{zap}", 5061},
      {"foo{bar", slot_of("x{foo{bar}")},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(slot_of(row.name), row.slot) << row.name;
  }
}

TEST(Slots, AllPiecesOfAnObjectAreInOneAndThoseOfAPageInItsOwn) {
  const std::string key = "rhttps://example.com/a{b}c";
  const std::size_t slot = slot_of(object_name("shop:", key));
  for (const std::size_t piece : {0U, 1U, 77U}) {
    EXPECT_EQ(slot_of(piece_name("shop:", key, 5, piece)), slot);
  }
  for (const std::string_view name : {"plain", "", "a{b}c", "{", "}", "{}"}) {
    const std::string value = std::string(1, keys::kValueKeyVersion).append(name);
    EXPECT_EQ(slot_of(piece_name("shop:", value, 5, 0)), slot_of(piece_name("shop:", value, 5, 1)))
        << name;
  }
}

TEST(Slots, AMapSaysWhoHasWhich) {
  const auto map = read_slots(array({range(0, 5460, "10.0.0.2", 7000), range(5461, 9999, "", 7001),
                                     range(10'001, 16'383, "10.0.0.2", 7000)}),
                              "asked.example");
  ASSERT_TRUE(map);
  EXPECT_EQ(map->masters, (std::vector<HostAndPort>{{"10.0.0.2", 7000}, {"asked.example", 7001}}));
  EXPECT_EQ(*map->master_of(0), (HostAndPort{"10.0.0.2", 7000}));
  EXPECT_EQ(*map->master_of(5461), (HostAndPort{"asked.example", 7001}));
  EXPECT_EQ(map->master_of(10'000), nullptr);
  EXPECT_EQ(*map->master_of(16'383), (HostAndPort{"10.0.0.2", 7000}));
}

TEST(Slots, WhatIsNoMapIsNone) {
  const Reply rows[] = {
      bulk("x"),
      array({}),
      array({integer(1)}),
      array({array({integer(0), integer(1)})}),
      array({range(5, 4, "h", 1)}),
      array({range(-1, 4, "h", 1)}),
      array({range(0, 16'384, "h", 1)}),
      array({range(0, 1, "h", 0)}),
      array({range(0, 1, "h", 65'536)}),
      array({array({bulk("0"), integer(1), array({bulk("h"), integer(1)})})}),
      array({array({integer(0), integer(1), array({bulk("h")})})}),
  };
  for (std::size_t i = 0; i < std::size(rows); ++i) EXPECT_FALSE(read_slots(rows[i], "h")) << i;
}

TEST(Slots, ARedirectionSaysWhere) {
  const struct {
    std::string_view words;
    bool is_ask;
    HostAndPort to;
  } rows[] = {
      {"MOVED 3999 127.0.0.1:6381", false, {"127.0.0.1", 6381}},
      {"ASK 3999 redis-2:7000", true, {"redis-2", 7000}},
      {"MOVED 1 ::1:7000", false, {"::1", 7000}},
      {"MOVED 1 :7000", false, {"asked", 7000}},
      {"MOVED 1 ?:7000", false, {"asked", 7000}},
  };
  for (const auto& row : rows) {
    const auto read = read_redirection(error(std::string(row.words)), "asked");
    ASSERT_TRUE(read) << row.words;
    EXPECT_EQ(read->is_ask, row.is_ask) << row.words;
    EXPECT_EQ(read->to, row.to) << row.words;
  }
}

TEST(Slots, WhatIsNoRedirectionIsNone) {
  for (const std::string_view words : {"ERR x", "MOVED", "MOVED 1 h", "MOVED 1 h:", "MOVED 1 h:0",
                                       "MOVED 1 h:65536", "ASK 1 h:7x", "MOVEDX 1 h:1"}) {
    EXPECT_FALSE(read_redirection(error(std::string(words)), "asked")) << words;
  }
  EXPECT_FALSE(read_redirection(bulk("MOVED 1 h:1"), "asked"));
}

}  // namespace
}  // namespace weir::backends::redis
