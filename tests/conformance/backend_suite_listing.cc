// The suite's part about list(): everything that is there is told, and nothing else.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/conformance/backend_suite.h"

namespace weir::backends::testing {
namespace {

std::string value(int number) {
  return "v" + std::to_string(number);
}

TEST_P(BackendSuite, ListsTheResponsesWhoseKeysBeginSo) {
  store("va", "12345");
  store("vb", "");
  store("p", "another kind's");
  store(marker_of("vmarker", {"origin"}, {}));
  std::vector<std::string> keys = list_keys(*store_, 'v', loop_);
  std::ranges::sort(keys);
  EXPECT_EQ(keys, (std::vector<std::string>{"va", "vb"}));
  EXPECT_EQ(list_keys(*store_, 'x', loop_), std::vector<std::string>());
}

TEST_P(BackendSuite, ListsWhatAnEntrySays) {
  EntryParts parts;
  parts.key = "va";
  parts.hash = hash128("va");
  parts.meta.lifetime_s = 60;
  parts.meta.seq = 7;
  parts.meta.response_ms = loop_.now_ms() - 5'000;
  parts.fields.add("Content-Length", "5");
  parts.body = make_body("hello");
  store(make_entry(std::move(parts)));
  RecordingListWaiter waiter;
  Listing listing;
  std::vector<Listed> found;
  for (std::optional<std::uint64_t> from = 0; from;) {
    waiter.part.reset();
    listing = store_->list('v', *from, waiter);
    if (listing.part) waiter.part = std::move(listing.part);
    while (!waiter.part) turn(loop_);
    std::ranges::move(waiter.part->entries, std::back_inserter(found));
    from = waiter.part->next;
  }
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].key, "va");
  EXPECT_EQ(found[0].body_bytes, 5U);
  EXPECT_EQ(found[0].meta.lifetime_s, 60);
  EXPECT_EQ(found[0].meta.seq, 7U);
  EXPECT_LT(std::abs(found[0].meta.response_ms - (loop_.now_ms() - 5'000)), 5'000);
}

TEST_P(BackendSuite, ListsNoneThatWasErasedOrCleared) {
  for (int i = 0; i < 20; ++i) store(value(i), "x");
  for (int i = 0; i < 20; i += 2) erase(value(i));
  std::vector<std::string> keys = list_keys(*store_, 'v', loop_);
  EXPECT_EQ(keys.size(), 10U);
  EXPECT_EQ(std::ranges::count(keys, value(0)), 0);
  clear();
  EXPECT_EQ(list_keys(*store_, 'v', loop_), std::vector<std::string>());
}

TEST_P(BackendSuite, ListsWhatIsReplacedAllTheWhile) {
  // Also where the list has been when the new one comes: it is found at least once.
  for (int i = 0; i < 50; ++i) store(value(i), "x");
  int turns = 0;
  const std::vector<std::string> keys = list_keys(*store_, 'v', loop_, [&] {
    for (int i = 0; i < 50; i += 5) store(value(i), "y" + std::to_string(turns));
    ++turns;
  });
  const std::set<std::string> found(keys.begin(), keys.end());
  EXPECT_EQ(found.size(), 50U);
}

TEST_P(BackendSuite, ListsAllWhoWereThereWhileItGrows) {
  for (int i = 0; i < 300; ++i) store(value(i), "x");
  int more = 300;
  const std::vector<std::string> keys = list_keys(*store_, 'v', loop_, [&] {
    for (const int end = std::min(more + 200, 2000); more < end; ++more) store(value(more), "x");
  });
  const std::set<std::string> found(keys.begin(), keys.end());
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(found.contains(value(i))) << i;
}

TEST_P(BackendSuite, ListingIsNoUse) {
  store("va", "x");
  const BackendStats before = backend().stats();
  list_keys(*store_, 'v', loop_);
  EXPECT_EQ(backend().stats().hits, before.hits);
  EXPECT_EQ(backend().stats().misses, before.misses);
}

}  // namespace
}  // namespace weir::backends::testing
