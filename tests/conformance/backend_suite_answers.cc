// How a store answers: now or later, once, and what dropping a handle means.
#include <vector>

#include "tests/conformance/backend_suite.h"

namespace weir::backends::testing {
namespace {

TEST_P(BackendSuite, LookupNowAgrees) {
  // lookup_now() answers the same as lookup() or nothing, and everything where it says so.
  const auto now_at = [this](const char* key) {
    return store_->lookup_now(key_of(key), Purpose::Serve);
  };
  store("a", "1");
  const EntryRef now = now_at("a");
  EXPECT_EQ(store_->answers_now(), delegate_->answers_now());
  if (delegate_->answers_now()) {
    ASSERT_TRUE(now);
  }
  if (now) {
    EXPECT_EQ(text_of(*now), "1");
  }
  EXPECT_FALSE(now_at("b"));
  erase("a");
  EXPECT_FALSE(now_at("a"));
}

TEST_P(BackendSuite, AnswersOnceAndNeverFromWithin) {
  // Hit and Miss carry their result and stay silent; Pending calls the waiter once, later.
  store("a", "1");
  for (const char* key : {"a", "absent"}) {
    RecordingWaiter waiter;
    const Lookup answer = store_->lookup(key_of(key), Purpose::Serve, waiter);
    EXPECT_EQ(waiter.answers, 0);
    EXPECT_EQ(answer.status == Lookup::Status::Pending, answer.pending != nullptr);
    EXPECT_EQ(answer.status == Lookup::Status::Hit, static_cast<bool>(answer.entry));
    const int expected = answer.status == Lookup::Status::Pending ? 1 : 0;
    while (waiter.answers < expected) turn(loop_);
    turn(loop_);
    EXPECT_EQ(waiter.answers, expected);
  }
}

TEST_P(BackendSuite, ReportsAStoreOnceAndNeverFromWithin) {
  // So it is with a store: a result at once and silence, or none and one call, later.
  RecordingStoreWaiter waiter;
  const Storing storing = store_->store(entry_of("a", "1"), nullptr, {}, waiter);
  EXPECT_EQ(waiter.answers, 0);
  EXPECT_EQ(storing.result.has_value(), storing.pending == nullptr);
  const int expected = storing.result ? 0 : 1;
  while (waiter.answers < expected) turn(loop_);
  turn(loop_);
  EXPECT_EQ(waiter.answers, expected);
  EXPECT_EQ(storing.result ? storing.result : waiter.result, StoreResult::Stored);
}

TEST_P(BackendSuite, DroppingTheHandleCancels) {
  // A dropped look-up never calls its waiter; one asked after it is answered nevertheless.
  store("a", "1");
  RecordingWaiter dropped;
  store_->lookup(key_of("a"), Purpose::Serve, dropped).pending.reset();
  EXPECT_EQ(body_at("a"), "1");
  turn(loop_);
  EXPECT_EQ(dropped.answers, 0);
}

TEST_P(BackendSuite, AStoreGoesOnUnheard) {
  // A dropped store is done nevertheless, and its waiter left alone.
  RecordingStoreWaiter dropped;
  store_->store(entry_of("a", "1"), nullptr, {}, dropped).pending.reset();
  while (backend().stats().stores == 0) turn(loop_);
  turn(loop_);
  EXPECT_EQ(dropped.answers, 0);
  EXPECT_EQ(body_at("a"), "1");
}

TEST_P(BackendSuite, TheHandleMayGoWithinTheCall) {
  // The waiter may drop the handle of the very look-up or store that calls it.
  class Dropper final : public LookupWaiter, public StoreWaiter {
   public:
    void on_lookup(EntryRef) override { lookup.pending.reset(); }
    void on_stored(StoreResult) override { storing.pending.reset(); }
    Lookup lookup;
    Storing storing;
  };
  Dropper dropper;
  dropper.storing = store_->store(entry_of("a", "1"), nullptr, {}, dropper);
  while (dropper.storing.pending) turn(loop_);
  dropper.lookup = store_->lookup(key_of("a"), Purpose::Serve, dropper);
  while (dropper.lookup.pending) turn(loop_);
  EXPECT_EQ(body_at("a"), "1");
}

TEST_P(BackendSuite, ManyLookupsAtOnce) {
  // Look-ups under way at the same time each get their own answer; the keys' bytes may be gone.
  constexpr int kKeys = 50;
  for (int i = 0; i < kKeys; i += 2) store("key" + std::to_string(i), std::to_string(i));
  std::vector<RecordingWaiter> waiters(kKeys);
  std::vector<Lookup> answers;
  for (int i = 0; i < kKeys; ++i) {
    const std::string key = "key" + std::to_string(i);
    answers.push_back(
        store_->lookup(key_of(key), Purpose::Serve, waiters[static_cast<std::size_t>(i)]));
  }
  for (int i = 0; i < kKeys; ++i) {
    Lookup& answer = answers[static_cast<std::size_t>(i)];
    RecordingWaiter& waiter = waiters[static_cast<std::size_t>(i)];
    while (answer.status == Lookup::Status::Pending && waiter.answers == 0) turn(loop_);
    const EntryRef entry = answer.entry ? answer.entry : waiter.entry;
    ASSERT_EQ(static_cast<bool>(entry), i % 2 == 0) << i;
    if (entry) {
      EXPECT_EQ(text_of(*entry), std::to_string(i));
    }
  }
}

}  // namespace
}  // namespace weir::backends::testing
