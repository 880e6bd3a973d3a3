// A backend whose medium cannot be used answers at once, and never as if it had kept something.
#include "backends/absent.h"

#include <gtest/gtest.h>

#include "backends/ram/ram_backend.h"
#include "backends/tiered.h"
#include "tests/conformance/entries.h"
#include "tests/conformance/look_up.h"

namespace weir::backends::testing {
namespace {

constexpr std::uint64_t kMaxObjectSize = 1024;
constexpr std::int64_t kExpireS = 60;

std::shared_ptr<Backend> absent() {
  return make_absent_backend("disk", kMaxObjectSize, kExpireS);
}

TEST(AbsentTest, KeepsNothingAndSaysSo) {
  Attached gone(absent());
  EXPECT_EQ(gone.put(entry_of("a", "body")), StoreResult::Failed);
  EXPECT_EQ(gone.find("a"), nullptr);
  EXPECT_EQ(gone.find("a", Purpose::Probe), nullptr);
  EXPECT_FALSE(gone.store().may_have(key_of("a")));
  EXPECT_EQ(gone.stats().objects, 0U);
}

TEST(AbsentTest, TellsAnObjectThatIsTooLargeFromAMediumThatFails) {
  struct Row {
    std::optional<std::uint64_t> body_bytes;
    StoreResult why;
  };
  Attached gone(absent());
  for (const Row& row :
       {Row{std::nullopt, StoreResult::Failed}, Row{kMaxObjectSize, StoreResult::Failed},
        Row{kMaxObjectSize + 1, StoreResult::TooLarge}}) {
    EXPECT_EQ(gone.store().admit(row.body_bytes).error(), row.why);
    EXPECT_EQ(gone.store().open_inflow(row.body_bytes).error(), row.why);
  }
  EXPECT_EQ(gone.put(entry_of("a", std::string(kMaxObjectSize + 1, 'x'))), StoreResult::TooLarge);
}

TEST(AbsentTest, WhatLiesOnTheMediumIsNeitherErasedNorListed) {
  Attached gone(absent());
  EXPECT_EQ(gone.erase("a"), EraseResult::Failed);
  RecordingListWaiter waiter;
  const Listing listing = gone.store().list('a', 0, waiter);
  ASSERT_TRUE(listing.part);
  EXPECT_TRUE(listing.part->is_unanswered);
  EXPECT_TRUE(listing.part->entries.empty());
  EXPECT_FALSE(listing.part->next);
}

TEST(AbsentTest, IsConfiguredAsTheBackendThatItStandsFor) {
  const auto gone = absent();
  EXPECT_EQ(gone->name(), "disk");
  EXPECT_EQ(gone->max_object_size(), kMaxObjectSize);
  EXPECT_EQ(gone->default_expire_s(), kExpireS);
  EXPECT_TRUE(gone->stats().breaker_open);
}

TEST(AbsentTest, MemoryInFrontOfItServesAsItWouldAlone) {
  Attached both(make_tiered({make_ram_backend({.name = "ram"}), absent()}));
  both.put(entry_of("a", "body"));
  const EntryRef found = both.find("a");
  ASSERT_TRUE(found);
  EXPECT_EQ(text_of(*found), "body");
  EXPECT_EQ(both.erase("a"), EraseResult::Failed) << "the medium may have it";
  EXPECT_EQ(both.find("a"), nullptr) << "memory has not";
}

}  // namespace
}  // namespace weir::backends::testing
