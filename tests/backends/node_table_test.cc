#include <gtest/gtest.h>

#include <map>
#include <random>

#include "backends/ram/shard.h"
#include "tests/conformance/entries.h"

namespace weir::backends::testing {
namespace {

TEST(NodeTableTest, AgreesWithAMap) {
  // Random insertions and erasures of keys whose hashes crowd into few slots: after each step the
  // table finds exactly what a map holds. (Erasure moves slots; a broken run would lose keys.)
  NodeTable table;
  std::map<std::string, std::unique_ptr<Node>> model;
  std::mt19937 random(1);
  for (int step = 0; step < 20000; ++step) {
    const auto number = random() % 200;
    const std::string key = "key" + std::to_string(number);
    const keys::KeyView view{key, {number % 7 + (number % 3) * 0xfffffff8U, 0}};
    if (const auto found = model.find(key); found != model.end()) {
      ASSERT_NE(table.find(view), nullptr);
      ASSERT_EQ(table.find(view)->node, found->second.get());
      table.erase(view);
      model.erase(found);
    } else {
      ASSERT_EQ(table.find(view), nullptr);
      auto node = std::make_unique<Node>(entry_with(view, {}));
      table.insert(*node);
      model.emplace(key, std::move(node));
    }
    if (step % 100 != 0) continue;
    for (const auto& [name, node] : model) {
      const NodeTable::Slot* slot = table.find(node->entry->key());
      ASSERT_NE(slot, nullptr);
      ASSERT_EQ(slot->node, node.get());
      ASSERT_EQ(slot->entry, node->entry.get());
    }
  }
}

TEST(NodeTableTest, KeysOfOneHashLiveSideBySide) {
  // Bytes decide: both are found, each under its own key, and a third of that hash is not.
  Shard shard;
  const Hash128 hash{1, 1};
  Node one(entry_with({"one", hash}, make_body("1")));
  Node two(entry_with({"two", hash}, make_body("2")));
  shard.insert(one);
  shard.insert(two);
  EXPECT_EQ(shard.find({"one", hash}, Purpose::Serve), one.entry);
  EXPECT_EQ(shard.find({"two", hash}, Purpose::Serve), two.entry);
  EXPECT_FALSE(shard.find({"three", hash}, Purpose::Serve));
  shard.erase(one);
  EXPECT_FALSE(shard.find({"one", hash}, Purpose::Serve));
  EXPECT_EQ(shard.find({"two", hash}, Purpose::Serve), two.entry);
  EXPECT_EQ(shard.hits(), 3U);
  EXPECT_EQ(shard.misses(), 2U);
}

TEST(NodeTableTest, OnlyWhatServesCounts) {
  // A probe leaves no trace; a marker that is found is used, but is no hit.
  Shard shard;
  Node page(entry_with(key_of("page"), make_body("1")));
  Entry::Parts parts;
  parts.kind = Entry::Kind::VaryMarker;
  parts.key = "marker";
  parts.hash = hash128("marker");
  Node marker(make_ref<Entry>(std::move(parts)));
  shard.insert(page);
  shard.insert(marker);
  for (const char* key : {"page", "marker"}) EXPECT_TRUE(shard.find(key_of(key), Purpose::Probe));
  EXPECT_FALSE(shard.find(key_of("absent"), Purpose::Probe));
  EXPECT_EQ(page.uses + marker.uses, 0);
  EXPECT_EQ(shard.hits() + shard.misses(), 0U);

  EXPECT_TRUE(shard.find(key_of("page"), Purpose::Serve));
  EXPECT_TRUE(shard.find(key_of("marker"), Purpose::Serve));
  EXPECT_EQ(page.uses, 1);
  EXPECT_EQ(marker.uses, 1);
  EXPECT_EQ(shard.hits(), 1U);
  EXPECT_EQ(shard.misses(), 0U);
}

}  // namespace
}  // namespace weir::backends::testing
