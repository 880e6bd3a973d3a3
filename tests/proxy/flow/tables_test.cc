// The small tables of the flow: uncacheable memory, variants.
#include <gtest/gtest.h>

#include <span>

#include "backends/ram/ram_backend.h"
#include "proxy/flow/uncacheable.h"
#include "proxy/flow/variants.h"

namespace weir::flow {
namespace {

keys::KeyView key(const std::string& bytes) {
  return {bytes, hash128(bytes)};
}

// ---- UncacheableMemory ----

TEST(UncacheableMemory, RemembersTheOriginalReasonForTenSeconds) {
  UncacheableMemory memory{10'000, 120'000};
  const std::string page = "page";
  EXPECT_FALSE(memory.recall(key(page), 0));
  memory.remember(key(page), {policy::Reason::SetCookie, "sid"}, 1'000);
  const auto recalled = memory.recall(key(page), 10'999);
  ASSERT_TRUE(recalled);
  EXPECT_EQ(recalled->reason, policy::Reason::SetCookie);
  EXPECT_EQ(recalled->subject, "sid");
  EXPECT_FALSE(memory.recall(key(page), 11'000));
}

TEST(UncacheableMemory, LastsTwiceAsLongWithEachConfirmation) {
  // Of a crowd that is refused together only one counts, and there is a bound.
  struct Case {
    std::int64_t refused_ms;
    std::int64_t until_ms;
  };
  const Case cases[] = {{0, 10'000},       {1'000, 10'000},    {4'999, 10'000},
                        {5'000, 25'000},   {5'001, 25'000},    {20'000, 60'000},
                        {50'000, 110'000}, {100'000, 160'000}, {160'000, 170'000}};
  const std::string page = "page";
  for (std::size_t count = 1; count <= std::size(cases); ++count) {
    UncacheableMemory memory{10'000, 60'000};
    for (const Case& c : std::span(cases).first(count)) {
      memory.remember(key(page), {policy::Reason::Private, ""}, c.refused_ms);
    }
    const Case& last = cases[count - 1];
    EXPECT_TRUE(memory.recall(key(page), last.until_ms - 1)) << last.refused_ms;
    EXPECT_FALSE(memory.recall(key(page), last.until_ms)) << last.refused_ms;
  }
}

TEST(UncacheableMemory, ForgetsWhatMayBeStoredAfterAll) {
  UncacheableMemory memory{10'000, 120'000};
  const std::string page = "page";
  memory.remember(key(page), {policy::Reason::Private, ""}, 0);
  memory.forget(key(page));
  EXPECT_FALSE(memory.recall(key(page), 1));
}

TEST(UncacheableMemory, ForgetsTheOldestPastItsBound) {
  // Whoever asks for a million different uncacheable URLs cannot grow it.
  UncacheableMemory memory{10'000, 120'000};
  int remembered = 0;
  for (int i = 0; i < 200'000; ++i) {
    memory.remember(key("page " + std::to_string(i)), {policy::Reason::Private, ""}, 0);
  }
  for (int i = 0; i < 200'000; ++i) {
    if (memory.recall(key("page " + std::to_string(i)), 1)) ++remembered;
  }
  EXPECT_LE(remembered, 65'536);
  EXPECT_TRUE(memory.recall(key("page 199999"), 1));
  EXPECT_FALSE(memory.recall(key("page 0"), 1));
}

// ---- VariantBook ----

using Names = std::vector<std::string>;

class VariantBookTest : public testing::Test {
 protected:
  void store(const std::string& name, std::int64_t used_ms) {
    backends::EntryParts parts;
    parts.key = name;
    parts.hash = hash128(name);
    parts.body = make_body("x");
    const backends::EntryRef entry = backends::make_entry(std::move(parts));
    entry->touch(used_ms);
    backends::store_unheard(*store_, entry);
  }
  std::vector<std::string> known() {
    const backends::EntryRef marker = store_->lookup_now(key(base_), backends::Purpose::Probe);
    return marker ? marker->variants().to_vector() : std::vector<std::string>{};
  }

  const std::string base_ = "base";
  const std::vector<std::string> vary_ = {"accept-encoding"};
  EventLoop loop_;
  const std::unique_ptr<backends::Store> store_ = backends::make_ram_backend({})->attach(loop_);
  VariantBook book_;
};

TEST_F(VariantBookTest, KnowsEachVariantOnce) {
  EXPECT_FALSE(book_.admit(*store_, key(base_), nullptr, vary_, "v1", 16));
  EXPECT_FALSE(book_.admit(*store_, key(base_), nullptr, vary_, "v2", 16));
  EXPECT_FALSE(book_.admit(*store_, key(base_), nullptr, vary_, "v1", 16));
  EXPECT_EQ(known(), (std::vector<std::string>{"v1", "v2"}));
}

TEST_F(VariantBookTest, DropsTheLeastRecentlyUsedPastTheBound) {
  for (const auto& [name, used_ms] : {std::pair{"v1", 30}, {"v2", 10}, {"v3", 20}}) {
    book_.admit(*store_, key(base_), nullptr, vary_, name, 3);
    store(name, used_ms);
  }
  EXPECT_TRUE(book_.admit(*store_, key(base_), nullptr, vary_, "v4", 3));
  EXPECT_EQ(known(), (std::vector<std::string>{"v1", "v3", "v4"}));
  EXPECT_FALSE(store_->lookup_now(key("v2"), backends::Purpose::Probe));
}

TEST_F(VariantBookTest, KeepsAListThatIsQuicklyReadHoweverLongItsKeys) {
  // They hold what clients have sent, and each new one costs time for all of them.
  std::size_t dropped = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string name = std::to_string(i) + std::string(7'000, 'v');
    if (book_.admit(*store_, key(base_), nullptr, vary_, name, 1000)) ++dropped;
    store(name, i);
  }
  std::size_t bytes = 0;
  for (const std::string& name : known()) bytes += name.size();
  EXPECT_LE(bytes, 256U * 1024);
  EXPECT_GE(known().size(), 36U);
  EXPECT_EQ(dropped + known().size(), 100U);
}

TEST_F(VariantBookTest, AVariantThatTheStoreLostGoesFirst) {
  book_.admit(*store_, key(base_), nullptr, vary_, "lost", 2);
  book_.admit(*store_, key(base_), nullptr, vary_, "kept", 2);
  store("kept", 1);
  EXPECT_TRUE(book_.admit(*store_, key(base_), nullptr, vary_, "new", 2));
  EXPECT_EQ(known(), (std::vector<std::string>{"kept", "new"}));
}

TEST_F(VariantBookTest, StartsAnewWhenOtherFieldsTellVariantsApart) {
  book_.admit(*store_, key(base_), nullptr, vary_, "v1", 16);
  store("v1", 1);
  book_.admit(*store_, key(base_), nullptr, {"x-theme"}, "w1", 16);
  EXPECT_EQ(known(), (std::vector<std::string>{"w1"}));
  EXPECT_FALSE(store_->lookup_now(key("v1"), backends::Purpose::Probe))
      << "nobody would find it again";
}

TEST_F(VariantBookTest, AFieldThatOneAnswerLeavesOutStillTellsVariantsApart) {
  // The URL keeps its variants; an answer that names more makes them apart by all.
  book_.admit(*store_, key(base_), nullptr, {"origin"}, "v1", 16);
  store("v1", 1);
  const auto all = [](const backends::Entry&) { return true; };
  EXPECT_EQ(book_.names_for(*store_, key(base_), nullptr, {}, all), Names{"origin"});
  EXPECT_EQ(book_.names_for(*store_, key(base_), nullptr, {"origin"}, all), Names{"origin"});
  EXPECT_EQ(book_.names_for(*store_, key(base_), nullptr, vary_, all),
            (Names{"accept-encoding", "origin"}));
  EXPECT_EQ(known(), Names{"v1"}) << "asking changes nothing";
  EXPECT_EQ(book_.names_for(*store_, key("other"), nullptr, {}, all), Names{});
}

TEST_F(VariantBookTest, VariantsThatKeepNothingApartAreForgotten) {
  // Stale ones, or such as were stored for the others' sake only: the URL has none any more.
  book_.admit(*store_, key(base_), nullptr, {"origin"}, "v1", 16);
  store("v1", 1);
  const auto none = [](const backends::Entry&) { return false; };
  EXPECT_EQ(book_.names_for(*store_, key(base_), nullptr, {}, none), Names{});
  EXPECT_FALSE(store_->lookup_now(key(base_), backends::Purpose::Probe));
  EXPECT_FALSE(store_->lookup_now(key("v1"), backends::Purpose::Probe));
}

TEST_F(VariantBookTest, MoreNamesThanAnyAppMeansStartAnew) {
  // An app that names other fields each time would make every variant its own.
  Names many;
  for (int i = 100; i < 132; ++i) many.push_back("x-" + std::to_string(i));
  book_.admit(*store_, key(base_), nullptr, many, "v1", 16);
  store("v1", 1);
  const auto all = [](const backends::Entry&) { return true; };
  EXPECT_EQ(book_.names_for(*store_, key(base_), nullptr, {"a"}, all), Names{"a"});
}

TEST_F(VariantBookTest, AnAnswerThatKnewFewerFieldsTakesNoMarkersPlace) {
  // It was on its way when the URL learned of another field.
  book_.admit(*store_, key(base_), nullptr, {"accept-encoding", "origin"}, "v1", 16);
  EXPECT_FALSE(book_.admit(*store_, key(base_), nullptr, {"origin"}, "late", 16));
  EXPECT_EQ(known(), Names{"v1"});
}

}  // namespace
}  // namespace weir::flow
