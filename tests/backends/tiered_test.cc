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
  Lookup ask(std::string_view key) { return store_->lookup(key_of(key), Purpose::Serve, waiter_); }
  void answer(ScriptedBackend& tier) {
    tier.release();
    turn(loop_);
  }
  EntryRef near_at(std::string_view key) {
    return near_store_->lookup_now(key_of(key), Purpose::Probe);
  }
  bool near_has(std::string_view key) { return static_cast<bool>(near_at(key)); }
  // Puts it into one tier, past the others.
  void only_in(Backend& tier, EntryRef entry) {
    const std::unique_ptr<Store> store = tier.attach(loop_);
    ASSERT_EQ(store_unheard(*store, std::move(entry)), StoreResult::Stored);
  }
  std::optional<StoreResult> store(EntryRef entry) {
    return store_unheard(*store_, std::move(entry));
  }

  EventLoop loop_;
  RecordingWaiter waiter_;
  const std::shared_ptr<Backend> near_ =
      make_ram_backend({.name = "near", .max_object_size = kNearMax, .default_expire_s = 11});
  const std::shared_ptr<ScriptedBackend> middle_ = std::make_shared<ScriptedBackend>(2000);
  const std::shared_ptr<ScriptedBackend> far_ = std::make_shared<ScriptedBackend>(5000);
  const std::shared_ptr<Backend> tiered_ = make_tiered({near_, middle_, far_});
  const std::unique_ptr<Store> near_store_ = near_->attach(loop_);
  const std::unique_ptr<Store> store_ = tiered_->attach(loop_);
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
  only_in(*near_, entry_of("a", "1"));
  const Lookup found = ask("a");
  EXPECT_EQ(found.status, Status::Hit);
  EXPECT_EQ(text_of(*found.entry), "1");
  EXPECT_TRUE(store_->lookup_now(key_of("a"), Purpose::Serve));
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
  only_in(*far_, entry_of("a", "1"));
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
  only_in(*middle_, entry_of("a", "1"));
  const Lookup asked = ask("a");
  answer(*middle_);
  EXPECT_TRUE(waiter_.entry);
  EXPECT_EQ(far_->stats().hits + far_->stats().misses, 0U);
}

TEST_F(TieredTest, TiersThatAllAnswerNowAreOneThatDoes) {
  // Misses count without a second look-up, and a hit moves nearer.
  EXPECT_TRUE(near_store_->answers_now());
  EXPECT_FALSE(store_->answers_now());
  EXPECT_FALSE(store_->lookup_now(key_of("a"), Purpose::Serve));
  EXPECT_EQ(tiered_->stats().misses, 0U) << "a slower tier may have it";
  const std::shared_ptr<Backend> next = make_ram_backend({.name = "next"});
  const std::shared_ptr<Backend> both = make_tiered({near_, next});
  const std::unique_ptr<Store> store = both->attach(loop_);
  EXPECT_TRUE(store->answers_now());
  only_in(*next, entry_of("a", "1"));
  EXPECT_FALSE(store->lookup_now(key_of("b"), Purpose::Serve));
  EXPECT_TRUE(store->lookup_now(key_of("a"), Purpose::Serve));
  EXPECT_EQ(both->stats().misses, 1U);
  EXPECT_EQ(both->stats().hits, 1U);
  EXPECT_TRUE(near_has("a"));
}

TEST_F(TieredTest, CopiesRespectEachTiersObjectSize) {
  // An object too large for RAM is copied into the middle tier only.
  only_in(*far_, entry_of_size("a", kNearMax + 1));
  const Lookup asked = ask("a");
  answer(*middle_);
  answer(*far_);
  ASSERT_TRUE(waiter_.entry);
  EXPECT_FALSE(near_has("a"));
  EXPECT_TRUE(middle_->contains("a"));
}

TEST_F(TieredTest, StoresWhereItFits) {
  // A store reaches every tier that can hold the object.
  store(entry_of("small", "1"));
  store(entry_of_size("medium", 2000));
  store(entry_of_size("large", 5000));
  EXPECT_TRUE(near_has("small") && middle_->contains("small") && far_->contains("small"));
  EXPECT_TRUE(!near_has("medium") && middle_->contains("medium") && far_->contains("medium"));
  EXPECT_TRUE(!near_has("large") && !middle_->contains("large") && far_->contains("large"));
}

TEST_F(TieredTest, OldEntryNeverHidesALargerNewOne) {
  // When a new version fits only far away, the near tiers drop the old one.
  store(entry_of("a", "old"));
  store(entry_of_size("a", 5000));
  EXPECT_FALSE(near_has("a"));
  EXPECT_FALSE(middle_->contains("a"));
  EXPECT_TRUE(far_->contains("a"));
}

TEST_F(TieredTest, ErasesAndClearsEverywhere) {
  // Neither leaves anything in any tier.
  store(entry_of("a", "1"));
  store(entry_of("b", "2"));
  store_->erase(key_of("a"));
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
  only_in(*far_, entry_of("a", "1"));
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
    only_in(*middle_, entry_of("in-middle", "1"));
    only_in(*far_, entry_of("in-far", "1"));
    Dropper dropper;
    dropper.asked = store_->lookup(key_of(key), Purpose::Serve, dropper);
    answer(*middle_);
    answer(*far_);
    EXPECT_EQ(dropper.answers, 1) << key;
  }
}

TEST_F(TieredTest, OutlivesItsOwner) {
  // A store keeps the tiers alive.
  auto tiered = make_tiered({near_, middle_});
  only_in(*middle_, entry_of("a", "1"));
  const std::unique_ptr<Store> store = tiered->attach(loop_);
  tiered.reset();
  const Lookup asked = store->lookup(key_of("a"), Purpose::Serve, waiter_);
  answer(*middle_);
  EXPECT_TRUE(waiter_.entry);
}

TEST_F(TieredTest, ProbesCopyNothing) {
  // What is found far away merely to know is not brought nearer.
  only_in(*far_, entry_of("a", "1"));
  const Lookup asked = store_->lookup(key_of("a"), Purpose::Probe, waiter_);
  answer(*middle_);
  answer(*far_);
  EXPECT_TRUE(waiter_.entry);
  EXPECT_FALSE(near_has("a"));
  EXPECT_FALSE(middle_->contains("a"));
  EXPECT_EQ(tiered_->stats().hits, 0U);
}

// ---- admission and what came of a store ----

TEST_F(TieredTest, AdmitsWhereAnyTierAdmits) {
  // Each tier that admits keeps room; one refusal is no refusal.
  const auto admitted = store_->admit(3000);
  ASSERT_TRUE(admitted);
  EXPECT_EQ(middle_->reserved(), 0);
  EXPECT_EQ(far_->reserved(), 1);
  EXPECT_EQ(near_->stats().bytes, 0U);
}

TEST_F(TieredTest, RefusesWhereAllRefuse) {
  // Too large only when it is so for every tier: else there may be room another time.
  const auto too_large = store_->admit(5001);
  ASSERT_FALSE(too_large);
  EXPECT_EQ(too_large.error(), StoreResult::TooLarge);
  far_->refuse(StoreResult::NoRoom);
  const auto no_room = store_->admit(3000);
  ASSERT_FALSE(no_room);
  EXPECT_EQ(no_room.error(), StoreResult::NoRoom);
}

TEST_F(TieredTest, WhoRefusedDropsWhatItHad) {
  // A tier that did not admit the new version is not asked to store it, and its old one goes, even
  // if there were room by then.
  store(entry_of("a", "old"));
  middle_->refuse(StoreResult::NoRoom);
  auto admitted = store_->admit(3);
  ASSERT_TRUE(admitted);
  middle_->refuse(std::nullopt);
  EXPECT_EQ(store_unheard(*store_, entry_of("a", "new"), std::move(*admitted)),
            StoreResult::Stored);
  EXPECT_EQ(text_of(*near_at("a")), "new");
  EXPECT_FALSE(middle_->contains("a"));
  EXPECT_TRUE(far_->contains("a"));
  EXPECT_EQ(far_->reserved(), 0);
}

TEST_F(TieredTest, StoredWhenAnyTierHasStored) {
  // A failing tier is not the caller's concern; all failing ones are.
  far_->refuse(StoreResult::Failed);
  EXPECT_EQ(store(entry_of("a", "1")), StoreResult::Stored);
  EXPECT_EQ(store(entry_of_size("b", 3000)), StoreResult::Failed);
  EXPECT_EQ(store(entry_of_size("c", 5001)), StoreResult::Failed);
  far_->refuse(std::nullopt);
  EXPECT_EQ(store(entry_of_size("c", 5001)), StoreResult::TooLarge);
  EXPECT_EQ(tiered_->stats().stores, 1U);
}

TEST_F(TieredTest, ReportsWhenTheLastTierHas) {
  // While a tier is pending so is the whole; then the best that any of them said.
  middle_->hold_stores();
  far_->hold_stores();
  RecordingStoreWaiter heard;
  const Storing storing = store_->store(entry_of_size("a", 1500), nullptr, {}, heard);
  EXPECT_FALSE(storing.result);
  middle_->release_stores(StoreResult::Failed);
  turn(loop_);
  EXPECT_EQ(heard.answers, 0);
  far_->release_stores(StoreResult::Stored);
  turn(loop_);
  EXPECT_EQ(heard.answers, 1);
  EXPECT_EQ(heard.result, StoreResult::Stored);
  EXPECT_EQ(tiered_->stats().stores, 1U);
}

TEST_F(TieredTest, GoesOnWhenNobodyWantsToHear) {
  // The handle dropped, the tiers' stores end all the same and nobody is called.
  far_->hold_stores();
  RecordingStoreWaiter unheard;
  store_->store(entry_of("a", "1"), nullptr, {}, unheard).pending.reset();
  far_->release_stores();
  turn(loop_);
  EXPECT_TRUE(far_->contains("a"));
  EXPECT_EQ(unheard.answers, 0);
  EXPECT_EQ(tiered_->stats().stores, 1U);
}

TEST_F(TieredTest, AStoreUnderWayMayBeCutByTheEnd) {
  // The loop's presence goes while a tier is writing: nobody is called any more.
  far_->hold_stores();
  RecordingStoreWaiter unheard;
  auto store = tiered_->attach(loop_);
  Storing storing = store->store(entry_of("a", "1"), nullptr, {}, unheard);
  storing.pending.reset();
  store.reset();
  far_->release_stores();
  turn(loop_);
  EXPECT_EQ(unheard.answers, 0);
}

TEST_F(TieredTest, NothingOldIsCopiedWhileAStoreIsUnderWay) {
  // The far tier still has the old entry while the new one is on its way there; too large for the
  // others, it would leave them open to the old one.
  only_in(*far_, entry_of("a", "old"));
  far_->hold_stores();
  RecordingStoreWaiter heard;
  const Storing storing = store_->store(entry_of_size("a", 5000), nullptr, {}, heard);
  const Lookup asked = ask("a");
  answer(*middle_);
  answer(*far_);
  EXPECT_TRUE(waiter_.entry);
  EXPECT_FALSE(near_has("a"));
  EXPECT_FALSE(middle_->contains("a"));
}

TEST_F(TieredTest, SaysWhatCameOfAnErasure) {
  // Erased if any tier had it.
  only_in(*far_, entry_of("a", "1"));
  EXPECT_EQ(store_->erase(key_of("a")), EraseResult::Erased);
  EXPECT_EQ(store_->erase(key_of("a")), EraseResult::Absent);
}

// What happens to a key while its look-up is under way must not be undone by the copy.
class TieredRace : public TieredTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(TieredRace, NothingOldIsCopiedOverAChange) {
  // The look-up found the old entry far away; then the key changed; RAM must not get the old one.
  only_in(*far_, entry_of("a", "old"));
  const Lookup asked = ask("a");
  answer(*middle_);
  const std::string_view change = GetParam();
  if (change == "erase") store_->erase(key_of("a"));
  if (change == "clear") tiered_->clear();
  if (change == "store") store(entry_of("a", "new"));
  answer(*far_);
  ASSERT_TRUE(waiter_.entry);
  EXPECT_EQ(text_of(*waiter_.entry), "old");
  const EntryRef near = near_at("a");
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
  Attached one(make_ram_backend({}));
  Attached two(make_ram_backend({}));
  Attached tiered(make_tiered({one.share(), two.share()}));
  tiered.put(entry_of_size("a", 1000));
  EXPECT_GE(one.stats().bytes, 1000U);
  EXPECT_GE(two.stats().bytes, 1000U);
  one.erase("a");
  EXPECT_EQ(one.stats().bytes, 0U);
  EXPECT_GE(two.stats().bytes, 1000U);
  two.erase("a");
  EXPECT_EQ(two.stats().bytes, 0U);
}

}  // namespace
}  // namespace weir::backends::testing
