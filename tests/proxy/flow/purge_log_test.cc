// The purge book as it is written down, and read back.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/proxy/flow/purge_kit.h"

namespace weir::flow {
namespace {

using Kind = Mark::Kind;

constexpr std::uint64_t kSeed = 42;
constexpr std::uint64_t kMarks = 60;

const Kind kKinds[] = {Kind::Url, Kind::Tag, Kind::Prefix, Kind::Glob, Kind::All};
const std::string kPages[] = {"/", "/a", "/a/b", "/a/c", "/b", "/b/c"};

std::string text_of(Kind kind, const std::string& page) {
  if (kind == Kind::Tag) return "tag of " + page;
  return kind == Kind::Glob ? page + "*" : page;
}

// What all pages of a book are, for every position at which a fetch may have begun.
std::vector<PurgeVerdict> verdicts(const PurgeBook& book) {
  std::vector<PurgeVerdict> all;
  for (const std::string& page : kPages) {
    const Url url(page);
    const std::uint64_t tags[] = {keys::tag_hash(text_of(Kind::Tag, page))};
    for (std::uint64_t seq = 0; seq <= kMarks; ++seq) {
      all.push_back(book.check(seq, url.name(), tags));
    }
  }
  return all;
}

void mark_at_random(PurgeBook& book, std::mt19937& random) {
  for (std::uint64_t i = 0; i < kMarks; ++i) {
    // All of it seldom, or the rest would show nothing.
    const Kind kind = random() % 30 == 0 ? Kind::All : kKinds[random() % 4];
    mark(book, kind, text_of(kind, kPages[random() % std::size(kPages)]), random() % 2 == 0);
  }
}

TEST(PurgeLog, IsToldEachMarkInOrder) {
  PurgeBook book(kSeed);
  book.mark_all();  // before there is a log
  MarkList log;
  book.set_log(&log);
  const Url url("a.test", "/p", "a=1");
  book.mark_url(url.name());
  book.mark_tag(keys::tag_hash("post-7"), true);
  book.mark_prefix("A.test/Blog/%7Eme");
  book.mark_glob("/blog/*", true);
  book.mark_all();
  book.set_log(nullptr);
  book.mark_all();

  ASSERT_EQ(log.size(), 5U);
  const Kind kinds[] = {Kind::Url, Kind::Tag, Kind::Prefix, Kind::Glob, Kind::All};
  const std::uint64_t tag = keys::tag_hash("post-7");
  const std::string_view tag_bytes(reinterpret_cast<const char*>(&tag), sizeof tag);
  const std::string_view texts[] = {url.name().bytes, tag_bytes, "a.test/Blog/~me", "/blog/*", ""};
  for (std::size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[i].kind, kinds[i]);
    EXPECT_EQ(log[i].text, texts[i]);
    EXPECT_EQ(log[i].position, i + 2);
    EXPECT_EQ(log[i].soft, i == 1 || i == 3);
  }
  EXPECT_EQ(log[0].hash, book.hash_of(url.name()));
  EXPECT_EQ(log[1].hash, book.hash_of(keys::tag_hash("post-7")));
}

TEST(PurgeLog, HearsOfAMarkThatCountsAlreadyAndIsNotShownYet) {
  // So what the log does not know of cannot have been served by.
  struct Watching : MarkLog {
    void append(const Mark& mark) override {
      EXPECT_EQ(book->position(), mark.position - 1);
      EXPECT_EQ(book->check(mark.position - 1, Url("/p").name()), PurgeVerdict::Dead);
    }
    void when_kept(WhenKept) override {}
    const PurgeBook* book = nullptr;
  };
  PurgeBook book(kSeed);
  Watching log;
  log.book = &book;
  book.set_log(&log);
  for (const Kind kind : {Kind::Url, Kind::Prefix, Kind::Glob, Kind::All}) {
    mark(book, kind, "/p", false);
  }
}

TEST(PurgeLog, MarksReadBackSayTheSame) {
  // In their order, backwards, twice; and as the book itself tells them for a new log.
  std::mt19937 random(1);
  for (int round = 0; round < 10; ++round) {
    PurgeBook book(kSeed);
    MarkList log;
    book.set_log(&log);
    mark_at_random(book, random);
    const std::vector<PurgeVerdict> expected = verdicts(book);

    PurgeBook again(kSeed);
    log.restore_into(again);
    EXPECT_EQ(verdicts(again), expected);
    EXPECT_EQ(again.position(), kMarks);
    log.restore_into(again);
    EXPECT_EQ(verdicts(again), expected);

    PurgeBook backwards(kSeed);
    for (std::size_t i = log.size(); i-- > 0;) backwards.restore(log[i]);
    EXPECT_EQ(verdicts(backwards), expected);
    EXPECT_EQ(backwards.position(), kMarks);

    const MarkList fewer = marks_of(book);
    EXPECT_LT(fewer.size(), log.size());
    PurgeBook rewritten(kSeed);
    fewer.restore_into(rewritten);
    EXPECT_EQ(verdicts(rewritten), expected);
  }
}

TEST(PurgeLog, RestoredMarksAreNotWrittenAgain) {
  PurgeBook book(kSeed);
  MarkList log;
  book.set_log(&log);
  book.restore({.kind = Kind::Prefix, .position = 9, .text = "/blog/"});
  EXPECT_EQ(log.size(), 0U);
  EXPECT_EQ(book.check(8, Url("/blog/a").name()), PurgeVerdict::Dead);
  EXPECT_EQ(book.check(9, Url("/blog/a").name()), PurgeVerdict::Alive);
  EXPECT_EQ(book.mark_all(), 10U);
}

TEST(PurgeLog, PositionsNeverGoBack) {
  PurgeBook book(kSeed);
  book.raise_position(100);
  book.raise_position(50);
  EXPECT_EQ(book.position(), 100U);
  book.restore({.kind = Kind::All, .position = 70});
  EXPECT_EQ(book.position(), 100U);
  EXPECT_EQ(book.check(69, Url("/p").name()), PurgeVerdict::Dead);
  EXPECT_EQ(book.check(70, Url("/p").name()), PurgeVerdict::Alive);
  EXPECT_EQ(book.mark_url(Url("/p").name()), 101U);
}

TEST(PurgeLog, WhatWasDroppedIsToldAsAFloor) {
  // Of URLs and tags by bucket, of prefixes and globs as of everything.
  PurgeBook book(kSeed);
  constexpr std::uint64_t kUrls = 300'000;  // of the buckets some are full
  std::mt19937_64 random(3);
  for (std::uint64_t i = 0; i < kUrls; ++i) {
    book.restore({.kind = Kind::Url, .position = i + 1, .hash = random()});
  }
  for (std::uint64_t i = 0; i < 60'000; ++i) {
    book.mark_tag(keys::tag_hash("tag " + std::to_string(i)), true);
  }
  const MarkList told = marks_of(book);
  std::size_t floors[2] = {};
  for (std::size_t i = 0; i < told.size(); ++i) {
    if (told[i].kind == Kind::UrlFloor) ++floors[0];
    if (told[i].kind == Kind::TagFloor) ++floors[1];
  }
  EXPECT_GT(floors[0], 500U);
  EXPECT_GT(floors[1], 500U);
  PurgeBook again(kSeed);
  told.restore_into(again);
  for (int i = 0; i < 20'000; ++i) {
    const Url url("/page/" + std::to_string(i));
    const std::uint64_t tags[] = {keys::tag_hash("tag " + std::to_string(i))};
    for (const std::uint64_t seq : {std::uint64_t{0}, kUrls / 9, kUrls, kUrls + 9'000}) {
      EXPECT_EQ(again.check(seq, url.name(), tags), book.check(seq, url.name(), tags));
    }
  }
}

TEST(PurgeLog, WhatAFloorCoversIsNotTold) {
  // So a purge of everything makes the log short.
  PurgeBook book(kSeed);
  std::mt19937 random(2);
  mark_at_random(book, random);
  book.mark_all(true);
  book.mark_all();
  const MarkList told = marks_of(book);
  ASSERT_LE(told.size(), 2U);
  for (std::size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i].kind, Kind::All);
  EXPECT_EQ(marks_of(PurgeBook(kSeed)).size(), 0U);
}

}  // namespace
}  // namespace weir::flow
