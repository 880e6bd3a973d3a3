#include "backends/tiered.h"

#include <gtest/gtest.h>

#include "backends/ram/ram_backend.h"
#include "tests/backends/scripted_backend.h"
#include "tests/conformance/entries.h"
#include "tests/conformance/look_up.h"

namespace weir::backends::testing {
namespace {

using Status = Lookup::Status;

// RAM in front of two slow tiers that answer when told.
class TieredTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kNearMax = 1000;

  void SetUp() override {
    middle_->hold();
    far_->hold();
  }
  Lookup ask(std::string_view key) { return tiered_->lookup(key_of(key), loop_, waiter_); }
  void answer(ScriptedBackend& tier) {
    tier.release();
    turn(loop_);
  }
  bool near_has(std::string_view key) { return static_cast<bool>(near_->lookup_now(key_of(key))); }

  EventLoop loop_;
  RecordingWaiter waiter_;
  const std::shared_ptr<Backend> near_ =
      make_ram_backend({.name = "near", .max_object_size = kNearMax, .default_expire_s = 11});
  const std::shared_ptr<ScriptedBackend> middle_ = std::make_shared<ScriptedBackend>(2000);
  const std::shared_ptr<ScriptedBackend> far_ = std::make_shared<ScriptedBackend>(5000);
  const std::shared_ptr<Backend> tiered_ = make_tiered({near_, middle_, far_});
};

TEST_F(TieredTest, OneTierIsItself) {
  // Nothing is wrapped around a single tier.
  EXPECT_EQ(make_tiered({near_}), near_);
}

TEST_F(TieredTest, SpeaksForItsTiers) {
  // The first tier's expiry, the largest object size of all, the names of all.
  EXPECT_EQ(tiered_->default_expire_s(), 11);
  EXPECT_EQ(tiered_->max_object_size(), 5000U);
  EXPECT_EQ(tiered_->name(), "near+scripted+scripted");
}

TEST_F(TieredTest, NearHitAsksNobodyElse) {
  // What RAM has is answered at once, by lookup() and by lookup_now().
  near_->store(entry_of("a", "1"));
  const Lookup found = ask("a");
  EXPECT_EQ(found.status, Status::Hit);
  EXPECT_EQ(text_of(*found.entry), "1");
  EXPECT_TRUE(tiered_->lookup_now(key_of("a")));
  EXPECT_EQ(middle_->stats().hits + middle_->stats().misses, 0U);
}

TEST_F(TieredTest, AsksTierAfterTier) {
  // Each tier is asked once the one before it has missed; the waiter hears the last word only.
  const Lookup asked = ask("a");
  EXPECT_EQ(asked.status, Status::Pending);
  EXPECT_EQ(middle_->waiting(), 1U);
  EXPECT_EQ(far_->waiting(), 0U);
  answer(*middle_);
  EXPECT_EQ(far_->waiting(), 1U);
  EXPECT_EQ(waiter_.answers, 0);
  answer(*far_);
  EXPECT_EQ(waiter_.answers, 1);
  EXPECT_FALSE(waiter_.entry);
  EXPECT_EQ(tiered_->stats().misses, 1U);
}

TEST_F(TieredTest, FarHitIsCopiedNearer) {
  // What the last tier had is delivered and then stands in all nearer ones.
  far_->store(entry_of("a", "1"));
  const Lookup asked = ask("a");
  answer(*middle_);
  answer(*far_);
  ASSERT_TRUE(waiter_.entry);
  EXPECT_EQ(text_of(*waiter_.entry), "1");
  EXPECT_TRUE(near_has("a"));
  EXPECT_TRUE(middle_->contains("a"));
  EXPECT_EQ(ask("a").status, Status::Hit);
  EXPECT_EQ(tiered_->stats().hits, 2U);
}

TEST_F(TieredTest, MiddleHitLeavesTheFarTierAlone) {
  // A hit ends the chain.
  middle_->store(entry_of("a", "1"));
  const Lookup asked = ask("a");
  answer(*middle_);
  EXPECT_TRUE(waiter_.entry);
  EXPECT_EQ(far_->stats().hits + far_->stats().misses, 0U);
}

TEST_F(TieredTest, CopiesRespectEachTiersObjectSize) {
  // An object too large for RAM is copied into the middle tier only.
  far_->store(entry_of_size("a", kNearMax + 1));
  const Lookup asked = ask("a");
  answer(*middle_);
  answer(*far_);
  ASSERT_TRUE(waiter_.entry);
  EXPECT_FALSE(near_has("a"));
  EXPECT_TRUE(middle_->contains("a"));
}

TEST_F(TieredTest, StoresWhereItFits) {
  // A store reaches every tier that can hold the object.
  tiered_->store(entry_of("small", "1"));
  tiered_->store(entry_of_size("medium", 2000));
  tiered_->store(entry_of_size("large", 5000));
  EXPECT_TRUE(near_has("small") && middle_->contains("small") && far_->contains("small"));
  EXPECT_TRUE(!near_has("medium") && middle_->contains("medium") && far_->contains("medium"));
  EXPECT_TRUE(!near_has("large") && !middle_->contains("large") && far_->contains("large"));
}

TEST_F(TieredTest, OldEntryNeverHidesALargerNewOne) {
  // When a new version fits only far away, the near tiers drop the old one.
  tiered_->store(entry_of("a", "old"));
  tiered_->store(entry_of_size("a", 5000));
  EXPECT_FALSE(near_has("a"));
  EXPECT_FALSE(middle_->contains("a"));
  EXPECT_TRUE(far_->contains("a"));
}

TEST_F(TieredTest, ErasesAndClearsEverywhere) {
  // Neither leaves anything in any tier.
  tiered_->store(entry_of("a", "1"));
  tiered_->store(entry_of("b", "2"));
  tiered_->erase(key_of("a"));
  EXPECT_FALSE(near_has("a") || middle_->contains("a") || far_->contains("a"));
  EXPECT_TRUE(near_has("b") && middle_->contains("b") && far_->contains("b"));
  tiered_->clear();
  EXPECT_FALSE(near_has("b") || middle_->contains("b") || far_->contains("b"));
}

TEST_F(TieredTest, DroppedAtTheFirstWait) {
  // Dropping the handle cancels the tier's look-up; the next tier is never asked.
  Lookup asked = ask("a");
  asked.pending.reset();
  EXPECT_EQ(middle_->waiting(), 0U);
  answer(*middle_);
  EXPECT_EQ(far_->waiting(), 0U);
  EXPECT_EQ(waiter_.answers, 0);
}

TEST_F(TieredTest, DroppedInTheMiddleOfTheChain) {
  // Dropped while the far tier is asked, even with its answer on the way: no call, no copy.
  far_->store(entry_of("a", "1"));
  Lookup asked = ask("a");
  answer(*middle_);
  far_->release();
  asked.pending.reset();
  turn(loop_);
  EXPECT_EQ(waiter_.answers, 0);
  EXPECT_FALSE(near_has("a"));
}

TEST_F(TieredTest, WaiterMayDropTheHandle) {
  // The handle may go within the very call that answers it.
  class Dropper final : public LookupWaiter {
   public:
    void on_lookup(EntryRef) override {
      ++answers;
      asked.pending.reset();
    }
    int answers = 0;
    Lookup asked;
  };
  for (const char* key : {"in-middle", "in-far", "nowhere"}) {
    middle_->store(entry_of("in-middle", "1"));
    far_->store(entry_of("in-far", "1"));
    Dropper dropper;
    dropper.asked = tiered_->lookup(key_of(key), loop_, dropper);
    answer(*middle_);
    answer(*far_);
    EXPECT_EQ(dropper.answers, 1) << key;
  }
}

TEST_F(TieredTest, OutlivesItsOwner) {
  // A look-up under way keeps the tiers alive.
  auto tiered = make_tiered({near_, middle_});
  middle_->store(entry_of("a", "1"));
  const Lookup asked = tiered->lookup(key_of("a"), loop_, waiter_);
  tiered.reset();
  answer(*middle_);
  EXPECT_TRUE(waiter_.entry);
}

// What happens to a key while its look-up is under way must not be undone by the copy.
class TieredRace : public TieredTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(TieredRace, NothingOldIsCopiedOverAChange) {
  // The look-up found the old entry far away; then the key changed; RAM must not get the old one.
  far_->store(entry_of("a", "old"));
  const Lookup asked = ask("a");
  answer(*middle_);
  const std::string_view change = GetParam();
  if (change == "erase") tiered_->erase(key_of("a"));
  if (change == "clear") tiered_->clear();
  if (change == "store") tiered_->store(entry_of("a", "new"));
  answer(*far_);
  ASSERT_TRUE(waiter_.entry);
  EXPECT_EQ(text_of(*waiter_.entry), "old");
  const EntryRef near = near_->lookup_now(key_of("a"));
  if (change == "store") {
    ASSERT_TRUE(near);
    EXPECT_EQ(text_of(*near), "new");
  } else {
    EXPECT_FALSE(near);
    EXPECT_FALSE(middle_->contains("a"));
  }
}

INSTANTIATE_TEST_SUITE_P(Changes, TieredRace, ::testing::Values("erase", "clear", "store"));

TEST(TieredRam, EachTierPaysForItsOwn) {
  // An entry in two RAM tiers is charged to both, and given back to both.
  const auto one = make_ram_backend({});
  const auto two = make_ram_backend({});
  const auto tiered = make_tiered({one, two});
  tiered->store(entry_of_size("a", 1000));
  EXPECT_GE(one->stats().bytes, 1000U);
  EXPECT_GE(two->stats().bytes, 1000U);
  one->erase(key_of("a"));
  EXPECT_EQ(one->stats().bytes, 0U);
  EXPECT_GE(two->stats().bytes, 1000U);
  two->erase(key_of("a"));
  EXPECT_EQ(two->stats().bytes, 0U);
}

}  // namespace
}  // namespace weir::backends::testing
