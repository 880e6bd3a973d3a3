#include <gtest/gtest.h>

#include <map>
#include <random>

#include "backends/ram/shard.h"
#include "tests/conformance/entries.h"

namespace weir::backends::testing {
namespace {

TEST(EntryTableTest, AgreesWithAMap) {
  // Random insertions and erasures of keys whose hashes crowd into few slots: after each step the
  // table finds exactly what a map holds. (Erasure moves slots; a broken run would lose keys.)
  EntryTable table;
  std::map<std::string, EntryRef> model;
  std::mt19937 random(1);
  for (int step = 0; step < 20000; ++step) {
    const auto number = random() % 200;
    const std::string key = "key" + std::to_string(number);
    const keys::KeyView view{key, {number % 7 + (number % 3) * 0xfffffff8U, 0}};
    if (const auto found = model.find(key); found != model.end()) {
      ASSERT_EQ(table.find(view), found->second.get());
      table.erase(view);
      model.erase(found);
    } else {
      ASSERT_EQ(table.find(view), nullptr);
      EntryRef entry = entry_with(view, {});
      table.insert(*entry);
      model.emplace(key, std::move(entry));
    }
    if (step % 100 != 0) continue;
    for (const auto& [name, entry] : model) ASSERT_EQ(table.find(entry->key()), entry.get());
  }
}

TEST(EntryTableTest, KeysOfOneHashLiveSideBySide) {
  // Bytes decide: both are found, each under its own key, and a third of that hash is not.
  Shard shard;
  const Hash128 hash{1, 1};
  const EntryRef one = entry_with({"one", hash}, make_body("1"));
  const EntryRef two = entry_with({"two", hash}, make_body("2"));
  shard.insert(*one);
  shard.insert(*two);
  EXPECT_EQ(shard.find({"one", hash}, Purpose::Serve), one);
  EXPECT_EQ(shard.find({"two", hash}, Purpose::Serve), two);
  EXPECT_FALSE(shard.find({"three", hash}, Purpose::Serve));
  shard.erase(*one);
  EXPECT_FALSE(shard.find({"one", hash}, Purpose::Serve));
  EXPECT_EQ(shard.find({"two", hash}, Purpose::Serve), two);
  EXPECT_EQ(shard.hits(), 3U);
  EXPECT_EQ(shard.misses(), 2U);
}

TEST(EntryTableTest, ReplacesInPlace) {
  // The key then leads to the other entry, and to it only.
  EntryTable table;
  const EntryRef old = entry_of("a", "old");
  const EntryRef entry = entry_of("a", "new");
  table.insert(*old);
  const EntryRef other = entry_of("b", "1");
  table.insert(*other);
  table.replace(*old, *entry);
  EXPECT_EQ(table.find(key_of("a")), entry.get());
  table.erase(key_of("a"));
  EXPECT_EQ(table.find(key_of("a")), nullptr);
  EXPECT_EQ(table.find(key_of("b")), other.get());
}

TEST(EntryTableTest, OnlyWhatServesCounts) {
  // A probe leaves no trace; a marker that is found is used, but is no hit.
  Shard shard;
  const EntryRef page = entry_with(key_of("page"), make_body("1"));
  const EntryRef marker = marker_of("marker", {}, {});
  shard.insert(*page);
  shard.insert(*marker);
  for (const char* key : {"page", "marker"}) EXPECT_TRUE(shard.find(key_of(key), Purpose::Probe));
  EXPECT_FALSE(shard.find(key_of("absent"), Purpose::Probe));
  EXPECT_EQ(page->place().uses + marker->place().uses, 0);
  EXPECT_EQ(shard.hits() + shard.misses(), 0U);

  EXPECT_TRUE(shard.find(key_of("page"), Purpose::Serve));
  EXPECT_TRUE(shard.find(key_of("marker"), Purpose::Serve));
  EXPECT_EQ(page->place().uses, 1);
  EXPECT_EQ(marker->place().uses, 1);
  EXPECT_EQ(shard.hits(), 1U);
  EXPECT_EQ(shard.misses(), 0U);
}

}  // namespace
}  // namespace weir::backends::testing
