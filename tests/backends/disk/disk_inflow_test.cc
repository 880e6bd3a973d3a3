// A large object that arrives: its place among the changes of its key is that of its commit,
// whenever its head is written.
#include <gtest/gtest.h>

#include <functional>

#include "tests/backends/disk/large_kit.h"

namespace weir::backends::testing {
namespace {

class DiskInflowTest : public ::testing::Test, public LargeKit {};

TEST_F(DiskInflowTest, WhatIsDoneBehindItsCommitIsNewer) {
  struct Row {
    const char* what;
    char found;
    std::function<void(DiskInflowTest&, Attached& other)> done;
  };
  const Row rows[] = {
      {"nothing", 'a', [](DiskInflowTest&, Attached&) {}},
      {"a small one is stored", 's', [](DiskInflowTest& t, Attached&) { t.put("k", "small"); }},
      {"a small one is stored on another loop", 's',
       [](DiskInflowTest&, Attached& other) { other.put(entry_of("k", "small")); }},
      {"it is erased", '-', [](DiskInflowTest& t, Attached&) { t.at().erase("k"); }},
      {"it is erased on another loop", '-',
       [](DiskInflowTest&, Attached& other) { other.erase("k"); }},
      {"all is cleared", '-', [](DiskInflowTest& t, Attached&) { t.at().backend().clear(); }},
      {"a large one is stored on another loop", 'b',
       [](DiskInflowTest&, Attached& other) {
         Arriving second = commit(other, "k", 'b');
         EXPECT_EQ(ended(other, second), StoreResult::Stored);
       }},
      {"another key's is stored", 'a',
       [](DiskInflowTest&, Attached& other) { other.put(entry_of("m", "small")); }},
  };
  open();
  for (const Row& row : rows) {
    {
      put("k", "old");
      Attached other(at().share());
      Arriving first = commit(at(), "k", 'a');
      row.done(*this, other);
      EXPECT_EQ(ended(at(), first), StoreResult::Stored) << row.what;
      EXPECT_EQ(letter_at("k"), row.found) << row.what;
    }
    wait_for_writes();
    restart();
    wait_for_objects(1);
    EXPECT_EQ(letter_at("k"), row.found) << row.what << ", after a restart";
    at().backend().clear();
  }
}

TEST_F(DiskInflowTest, WhoGivesItUpLeavesNothing) {
  open();
  put("k", "old");
  {
    const Arriving dropped = commit(at(), "k", 'a');
    EXPECT_EQ(letter_at("k"), '-') << "what stood there is older";
  }
  wait_for_writes();
  EXPECT_EQ(letter_at("k"), '-');
  put("k", "new");
  EXPECT_EQ(letter_at("k"), 'n');
}

}  // namespace
}  // namespace weir::backends::testing
