#include "backends/entry.h"

#include <gtest/gtest.h>

#include "tests/conformance/entries.h"

namespace weir::backends::testing {
namespace {

Entry::Parts parts_with(std::size_t key, std::size_t head, std::size_t body) {
  Entry::Parts parts;
  parts.key = std::string(key, 'k');
  parts.h1_head = std::string(head, 'h');
  parts.body = make_body(std::string(body, 'b'));
  return parts;
}

TEST(EntryCharge, CountsEveryPart) {
  // Each part that grows makes the charge grow by at least as much.
  const std::size_t base = make_ref<Entry>(parts_with(100, 100, 100))->charge();
  EXPECT_GE(base, sizeof(Entry) + 300);
  EXPECT_GE(make_ref<Entry>(parts_with(1100, 100, 100))->charge(), base + 1000);
  EXPECT_GE(make_ref<Entry>(parts_with(100, 1100, 100))->charge(), base + 1000);
  EXPECT_GE(make_ref<Entry>(parts_with(100, 100, 1100))->charge(), base + 1000);

  Entry::Parts fields = parts_with(100, 100, 100);
  fields.fields.add("X-Long", std::string(1000, 'v'));
  EXPECT_GE(make_ref<Entry>(std::move(fields))->charge(), base + 1000);

  Entry::Parts variants = parts_with(100, 100, 100);
  variants.vary.push_back(std::string(1000, 'n'));
  variants.variants.push_back(std::string(1000, 'v'));
  EXPECT_GE(make_ref<Entry>(std::move(variants))->charge(), base + 2000);
}

TEST(EntryCharge, CountsCapacityNotSize) {
  // A chunk that is hardly filled costs what was allocated for it.
  Entry::Parts parts;
  parts.body.append({Chunk::allocate(64 * 1024), 0});
  EXPECT_GE(make_ref<Entry>(std::move(parts))->charge(), 64U * 1024);
}

TEST(EntryAccount, GivesBackWithTheLastReference) {
  // The bytes stay charged as long as anybody holds the entry.
  const auto account = make_ref<ByteAccount>();
  EntryRef entry = entry_of_size("a", 1000);
  ASSERT_TRUE(account->try_add(entry->charge(), 1 << 20));
  EXPECT_TRUE(entry->bind_account(account));
  EntryRef reader = entry;
  entry = nullptr;
  EXPECT_GE(account->bytes(), 1000U);
  reader = nullptr;
  EXPECT_EQ(account->bytes(), 0U);
}

TEST(EntryAccount, BelongsToOneStore) {
  // The second one to bind is told no, and binds a copy that shares the body's bytes.
  const auto one = make_ref<ByteAccount>();
  const auto two = make_ref<ByteAccount>();
  const EntryRef entry = entry_of_size("a", 1000);
  ASSERT_TRUE(one->try_add(entry->charge(), 1 << 20));
  EXPECT_TRUE(entry->bind_account(one));
  EXPECT_FALSE(entry->bind_account(two));
  EXPECT_FALSE(entry->bind_account(one));
  EXPECT_TRUE(entry->charged_to(*one));

  const EntryRef copy = entry->copy();
  EXPECT_FALSE(copy->has_account());
  EXPECT_EQ(copy->key(), entry->key());
  EXPECT_EQ(copy->body().pieces()[0].chunk, entry->body().pieces()[0].chunk);
}

TEST(ByteAccountTest, NeverPassesTheLimit) {
  // Up to the limit and not beyond; sums that would wrap are refused too.
  const auto account = make_ref<ByteAccount>();
  EXPECT_TRUE(account->try_add(60, 100));
  EXPECT_FALSE(account->try_add(41, 100));
  EXPECT_TRUE(account->try_add(40, 100));
  EXPECT_FALSE(account->try_add(~std::uint64_t{0}, 100));
  EXPECT_FALSE(account->try_add(~std::uint64_t{0} - 50, ~std::uint64_t{0}));
  account->subtract(100);
  EXPECT_EQ(account->bytes(), 0U);
}

}  // namespace
}  // namespace weir::backends::testing
