// Tiers of which the last one is shared: others may have stored something newer there.
#include <gtest/gtest.h>

#include "backends/ram/ram_backend.h"
#include "backends/tiered.h"
#include "tests/backends/scripted_backend.h"
#include "tests/conformance/entries.h"
#include "tests/conformance/look_up.h"

namespace weir::backends::testing {
namespace {

using Status = Lookup::Status;

// For whom nothing will do that arrived before a certain time.
class Choosy final : public LookupWaiter {
 public:
  explicit Choosy(std::int64_t least_ms) : least_ms_(least_ms) {}
  void on_lookup(EntryRef found) override {
    ++answers;
    entry = std::move(found);
  }
  bool is_enough(const Entry& found) override {
    ++looks;
    return found.meta().response_ms >= least_ms_;
  }

  int answers = 0;
  int looks = 0;
  EntryRef entry;

 private:
  const std::int64_t least_ms_;
};

EntryRef arrived_at(std::string_view key, std::string_view body, std::int64_t ms) {
  EntryParts parts;
  parts.key = std::string(key);
  parts.hash = hash128(key);
  parts.meta.response_ms = ms;
  parts.fields.add("Content-Length", std::to_string(body.size()));
  parts.body = make_body(body);
  return make_entry(std::move(parts));
}

TEST(TieredShared, WhoIsCutOffFromTheOthersUsesNothingOfItsOwn) {
  EventLoop loop;
  const auto near = make_ram_backend({.name = "near"});
  const auto far = std::make_shared<ScriptedBackend>();
  far->share();
  const auto store = make_tiered({near, far})->attach(loop);
  const auto near_store = near->attach(loop);
  ASSERT_EQ(put(*near_store, arrived_at("a", "near", 10), loop), StoreResult::Stored);
  const keys::KeyView key{"a", hash128("a")};
  for (const bool is_cut_off : {false, true, false}) {
    SCOPED_TRACE(is_cut_off);
    far->cut_off(is_cut_off);
    EXPECT_EQ(store->lookup_now(key, Purpose::Serve) == nullptr, is_cut_off);
    EXPECT_NE(store->lookup_now(key, Purpose::Probe), nullptr) << "who stores may know of it";
    for (const Purpose purpose : {Purpose::Serve, Purpose::Probe}) {
      EXPECT_EQ(look_up(*store, key, loop, purpose) == nullptr, is_cut_off);
    }
  }
}

TEST(TieredShared, WhatWillNotDoIsLookedForFurtherWhereOthersStoreToo) {
  // What a near tier has, what the shared one has, and what the caller gets who needs one from 50
  // on.
  struct Row {
    const char* what;
    std::int64_t near_ms;
    std::int64_t far_ms;  // 0: it has none
    bool shared;
    const char* gets;
    const char* near_has;  // afterwards
  };
  constexpr Row kRows[] = {
      {"what is near will do", 60, 70, true, "near", "near"},
      {"the other one is newer", 10, 70, true, "far", "far"},
      {"neither will do: the newer", 10, 20, true, "far", "far"},
      {"neither will do: it is the near one", 20, 10, true, "near", "near"},
      {"the other one has none", 10, 0, true, "near", "near"},
      {"nobody else stores there", 10, 70, false, "near", "near"},
  };
  for (const Row& row : kRows) {
    for (const Purpose purpose : {Purpose::Serve, Purpose::Probe}) {
      SCOPED_TRACE(row.what);
      EventLoop loop;
      const auto near = make_ram_backend({.name = "near"});
      const auto far = std::make_shared<ScriptedBackend>();
      if (row.shared) far->share();
      const auto tiered = make_tiered({near, far});
      const auto near_store = near->attach(loop);
      const auto far_store = far->attach(loop);
      const auto store = tiered->attach(loop);
      store_unheard(*near_store, arrived_at("a", "near", row.near_ms));
      if (row.far_ms != 0) store_unheard(*far_store, arrived_at("a", "far", row.far_ms));
      Choosy waiter(50);
      Lookup answer = store->lookup(key_of("a"), purpose, waiter);
      EXPECT_EQ(waiter.answers, 0);
      if (answer.status == Status::Pending) {
        while (waiter.answers == 0) turn(loop);
        answer.entry = waiter.entry;
      }
      ASSERT_TRUE(answer.entry);
      EXPECT_EQ(text_of(*answer.entry), row.gets);
      EXPECT_EQ(text_of(*near_store->lookup_now(key_of("a"), Purpose::Probe)), row.near_has);
      EXPECT_EQ(waiter.looks > 0, row.shared);
    }
  }
}

}  // namespace
}  // namespace weir::backends::testing
