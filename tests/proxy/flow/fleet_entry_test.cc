// What one instance has marked, as the others mark it: each with a seed of its own.
#include "proxy/flow/fleet_entry.h"

#include <gtest/gtest.h>

#include "tests/proxy/flow/purge_kit.h"

namespace weir::flow {
namespace {

using enum PurgeVerdict;
using Kind = Mark::Kind;

// Keeps the entries of what is marked.
class Hearer final : public MarkHearer {
 public:
  void append(const Mark& mark) override { entries.push_back(fleet_entry(mark)); }
  std::vector<std::string> entries;
};

PurgeVerdict verdict_of(const PurgeBook& book, std::string_view path) {
  const std::uint64_t tags[] = {keys::tag_hash("post-7")};
  return book.check(0, Url(path).name(), tags);
}

TEST(FleetEntry, SaysToAnotherBookWhatWasMarkedHere) {
  const std::pair<Kind, const char*> marks[] = {{Kind::Url, "/blog/a"},
                                                {Kind::Tag, "post-7"},
                                                {Kind::Prefix, "/blog/"},
                                                {Kind::Glob, "/blog/*"},
                                                {Kind::All, ""}};
  for (const auto& [kind, text] : marks) {
    for (const bool soft : {false, true}) {
      PurgeBook here(1);
      PurgeBook there(2);
      Hearer fleet;
      here.set_fleet(&fleet);
      mark(here, kind, text, soft);
      ASSERT_EQ(fleet.entries.size(), 1U);
      apply_entry(fleet.entries[0], there);
      EXPECT_EQ(there.position(), 1U);
      EXPECT_EQ(verdict_of(there, "/blog/a"), soft ? Stale : Dead) << text;
      const bool all = kind == Kind::All || kind == Kind::Tag;  // both pages have the tag
      EXPECT_EQ(verdict_of(there, "/other") != Alive, all) << text;
      here.set_fleet(nullptr);
    }
  }
}

TEST(FleetEntry, WhatIsNotUnderstoodKillsEverything) {
  for (const std::string_view entry :
       {"", "1", "1a", "2ah", "1xh", "1ux/blog", "1th\x01", "garbage", "1ah more"}) {
    PurgeBook book(1);
    apply_entry(entry, book);
    EXPECT_EQ(verdict_of(book, "/blog/a"), Dead) << entry;
  }
}

TEST(FleetEntry, AllThatHasATagIsStale) {
  PurgeBook book(1);
  apply_entry(stale_tag_entry(keys::tag_hash("post-7")), book);
  EXPECT_EQ(verdict_of(book, "/blog/a"), Stale);
  EXPECT_EQ(book.check(0, Url("/blog/a").name(), {}), Alive);
}

}  // namespace
}  // namespace weir::flow
