// The variants of a URL, in a store of which some entries would have to be waited for.
#include "proxy/flow/variants.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/conformance/entries.h"

namespace weir::flow {
namespace {

using backends::EntryRef;
using backends::StoreResult;
using backends::testing::entry_of;
using backends::testing::key_of;

// What it holds at hand, and what it holds elsewhere.
class StoreByHand final : public backends::Store {
 public:
  bool answers_now() const override { return false; }
  EntryRef lookup_now(keys::KeyView key, backends::Purpose) override {
    const auto found = at_hand.find(std::string(key.bytes));
    return found == at_hand.end() ? nullptr : found->second;
  }
  bool may_have(keys::KeyView key) override {
    return at_hand.contains(std::string(key.bytes)) || elsewhere.contains(std::string(key.bytes));
  }
  backends::Lookup lookup(keys::KeyView, backends::Purpose, backends::LookupWaiter&) override {
    return {};
  }
  std::expected<std::unique_ptr<backends::Reservation>, StoreResult> admit(
      std::optional<std::uint64_t>) override {
    return std::unexpected(StoreResult::NoRoom);
  }
  backends::Storing store(EntryRef entry, std::unique_ptr<backends::Reservation>,
                          const backends::StoreTerms&, backends::StoreWaiter&) override {
    at_hand[std::string(entry->key().bytes)] = entry;
    return {StoreResult::Stored, nullptr};
  }
  backends::EraseResult erase(keys::KeyView key) override {
    const std::string bytes(key.bytes);
    return at_hand.erase(bytes) + elsewhere.erase(bytes) > 0 ? backends::EraseResult::Erased
                                                             : backends::EraseResult::Absent;
  }
  backends::Listing list(char, std::uint64_t, backends::ListWaiter&) override {
    return {backends::ListPart{}, nullptr};
  }
  std::uint64_t most_whole() const override { return 1'000'000; }
  std::expected<std::unique_ptr<backends::Inflow>, StoreResult> open_inflow(
      std::optional<std::uint64_t>) override {
    return std::unexpected(StoreResult::TooLarge);
  }

  std::map<std::string, EntryRef> at_hand;
  std::set<std::string> elsewhere;
};

class VariantsTest : public ::testing::Test {
 protected:
  // The first ones at hand, the others elsewhere; of all of them the marker tells.
  void given(const std::vector<std::string>& at_hand, const std::vector<std::string>& elsewhere,
             const std::vector<std::string>& gone = {}) {
    std::vector<std::string> all;
    for (const auto* const list : {&at_hand, &elsewhere, &gone}) {
      all.insert(all.end(), list->begin(), list->end());
    }
    for (const std::string& key : at_hand) store.at_hand[key] = entry_of(key, "body");
    store.elsewhere = {elsewhere.begin(), elsewhere.end()};
    store.at_hand["url"] = backends::testing::marker_of("url", vary, all);
  }
  std::vector<std::string> variants() { return store.at_hand["url"]->variants().to_vector(); }
  bool admit(const std::string& key, std::size_t most) {
    return book.admit(store, key_of("url"), seen, vary, key, most);
  }

  const std::vector<std::string> vary{"accept-language"};
  EntryRef seen;
  StoreByHand store;
  VariantBook book;
};

using Names = std::vector<std::string>;

TEST_F(VariantsTest, WhatIsElsewhereStaysKnown) {
  given({"de"}, {"en", "fr"});
  EXPECT_FALSE(admit("it", 4));
  EXPECT_EQ(variants(), (Names{"de", "en", "fr", "it"}));
}

TEST_F(VariantsTest, WhatIsGoneMakesRoomBeforeWhatIsElsewhere) {
  given({"de"}, {"en"}, {"fr"});
  EXPECT_TRUE(admit("it", 3));
  EXPECT_EQ(variants(), (Names{"de", "en", "it"}));
  EXPECT_TRUE(store.elsewhere.contains("en"));
}

TEST_F(VariantsTest, WhatIsElsewhereMakesRoomBeforeWhatIsAtHand) {
  given({"de", "fr"}, {"en"});
  EXPECT_TRUE(admit("it", 3));
  EXPECT_EQ(variants(), (Names{"de", "fr", "it"}));
  EXPECT_FALSE(store.elsewhere.contains("en"));
}

TEST_F(VariantsTest, AMarkerThatIsElsewhereNowIsTheOneThatWasSeen) {
  // As long as there is one: what was erased since is not known again.
  given({}, {"de", "en"});
  seen = store.at_hand["url"];
  const auto of_use = [](const backends::Entry&) { return true; };
  for (const bool erased : {false, true}) {
    store.at_hand.erase("url");
    if (!erased) store.elsewhere.insert("url");
    EXPECT_EQ(book.names_for(store, key_of("url"), seen, {"accept"}, of_use),
              erased ? Names{"accept"} : (Names{"accept", "accept-language"}));
    EXPECT_FALSE(admit("fr", 4));
    EXPECT_EQ(variants(), erased ? Names{"fr"} : (Names{"de", "en", "fr"}));
    store.elsewhere.erase("url");
  }
}

TEST_F(VariantsTest, WhatIsElsewhereKeepsItsUrlsFieldsApart) {
  const auto of_use = [](const backends::Entry&) { return true; };
  given({}, {"en"});
  EXPECT_EQ(book.names_for(store, key_of("url"), seen, {"accept"}, of_use),
            (Names{"accept", "accept-language"}));
  given({}, {}, {"en"});
  EXPECT_EQ(book.names_for(store, key_of("url"), seen, {"accept"}, of_use), Names{"accept"});
  EXPECT_FALSE(store.at_hand.contains("url"));
}

}  // namespace
}  // namespace weir::flow
