// What marks do to what was fetched before them.
#include "proxy/flow/purge_book.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "tests/proxy/flow/purge_kit.h"

namespace weir::flow {
namespace {

using enum PurgeVerdict;
using Kind = Mark::Kind;

constexpr std::uint64_t kSeed = 42;

// The page that the marks below are about.
PurgeVerdict check_page(const PurgeBook& book, std::uint64_t seq) {
  const std::uint64_t tags[] = {keys::tag_hash("other"), keys::tag_hash("post-7")};
  return book.check(seq, Url("/blog/a/rss").name(), tags);
}

// One text of each kind that is about the page.
const std::pair<Kind, const char*> kAboutThePage[] = {{Kind::Url, "/blog/a/rss"},
                                                      {Kind::Tag, "post-7"},
                                                      {Kind::Prefix, "/blog/"},
                                                      {Kind::Glob, "/blog/*/rss"},
                                                      {Kind::All, ""}};

TEST(PurgeBook, AMarkIsAboutWhatBeganBeforeIt) {
  for (const auto& [kind, text] : kAboutThePage) {
    for (const bool soft : {false, true}) {
      PurgeBook book(kSeed);
      for (int i = 0; i < 5; ++i) book.mark_url(Url("/elsewhere").name());
      EXPECT_EQ(mark(book, kind, text, soft), 6U);
      EXPECT_EQ(book.position(), 6U);
      EXPECT_EQ(check_page(book, 0), soft ? Stale : Dead) << text;
      EXPECT_EQ(check_page(book, 5), soft ? Stale : Dead) << text;
      EXPECT_EQ(check_page(book, 6), Alive) << text;
    }
  }
}

TEST(PurgeBook, AMarkIsAboutNothingElse) {
  for (const auto& [kind, text] : kAboutThePage) {
    PurgeBook book(kSeed);
    mark(book, kind, text, false);
    const std::uint64_t tags[] = {keys::tag_hash("post-8")};
    const PurgeVerdict expected = kind == Kind::All ? Dead : Alive;
    EXPECT_EQ(book.check(0, Url("/shop").name(), tags), expected) << text;
    EXPECT_EQ(book.check(0, Url("/shop").name()), expected) << text;
    EXPECT_EQ(book.check(0, {}), expected) << text;
  }
}

TEST(PurgeBook, HardAndSoftMarksHideNothingOfEachOther) {
  // Marks in their order, and what becomes of what began before the first, before the second …
  const struct {
    const char* marks;
    const char* verdicts;
  } cases[] = {{"h", "DA"},       {"s", "SA"},       {"hh", "DDA"},     {"ss", "SSA"},
               {"hs", "DSA"},     {"sh", "DDA"},     {"hsh", "DDDA"},   {"shs", "DDSA"},
               {"hss", "DSSA"},   {"ssh", "DDDA"},   {"shh", "DDDA"},   {"hhs", "DDSA"},
               {"hshs", "DDDSA"}, {"shsh", "DDDDA"}, {"hsss", "DSSSA"}, {"shss", "DDSSA"}};
  for (const auto& [kind, text] : kAboutThePage) {
    for (const auto& c : cases) {
      PurgeBook book(kSeed);
      for (const char* how = c.marks; *how != '\0'; ++how) mark(book, kind, text, *how == 's');
      std::string verdicts;
      for (std::uint64_t seq = 0; seq <= book.position(); ++seq) {
        verdicts += "ASD"[static_cast<int>(check_page(book, seq))];
      }
      EXPECT_EQ(verdicts, c.verdicts) << c.marks << " of " << text;
    }
  }
}

TEST(PurgeBook, TheWorstOfAllMarksCounts) {
  for (const auto& [kind, text] : kAboutThePage) {
    for (const auto& [other_kind, other_text] : kAboutThePage) {
      PurgeBook book(kSeed);
      mark(book, kind, text, false);
      mark(book, other_kind, other_text, true);
      EXPECT_EQ(check_page(book, 0), Dead) << text << " and " << other_text;
      EXPECT_EQ(check_page(book, 1), Stale) << text << " and " << other_text;
      EXPECT_EQ(check_page(book, 2), Alive) << text << " and " << other_text;
    }
  }
}

TEST(PurgeBook, AUrlIsItsAuthorityPathAndQuery) {
  PurgeBook book(kSeed);
  book.mark_url(Url("a.test", "/p", "a=1").name());
  EXPECT_EQ(book.check(0, Url("a.test", "/p", "a=1").name()), Dead);
  EXPECT_EQ(book.check(0, Url("a.test", "/p").name()), Alive);
  EXPECT_EQ(book.check(0, Url("a.test", "/p", "a=2").name()), Alive);
  EXPECT_EQ(book.check(0, Url("b.test", "/p", "a=1").name()), Alive);
  EXPECT_EQ(book.check(0, Url("", "/p", "a=1").name()), Alive);
}

TEST(PurgeBook, PrefixesAndGlobsSpeakOfPathsAndMayNameAnAuthority) {
  const struct {
    Kind kind;
    const char* text;
    Url url;
    bool matches;
  } cases[] = {
      {Kind::Prefix, "/blog/", Url("/blog/"), true},
      {Kind::Prefix, "/blog/", Url("b.test:81", "/blog/x"), true},
      {Kind::Prefix, "/blog/", Url("", "/blog/x"), true},
      {Kind::Prefix, "/blog/", Url("/blog"), false},
      {Kind::Prefix, "/blog/", Url("/x/blog/"), false},
      {Kind::Prefix, "/blog", Url("/blogs"), true},
      {Kind::Prefix, "/", Url("/x"), true},
      {Kind::Prefix, "", Url("/x"), true},
      {Kind::Prefix, "/x?a", Url("a.test", "/x", "a=1"), false},
      {Kind::Prefix, "a.test/blog/", Url("/blog/x"), true},
      {Kind::Prefix, "A.Test/blog/", Url("/blog/x"), true},
      {Kind::Prefix, "a.test/Blog/", Url("/blog/x"), false},
      {Kind::Prefix, "a.test/blog/", Url("b.test", "/blog/x"), false},
      {Kind::Prefix, "a.test/blog/", Url("a.test:81", "/blog/x"), false},
      {Kind::Prefix, "a.test/blog/", Url("", "/blog/x"), false},
      {Kind::Prefix, "a.test", Url("/x"), true},
      {Kind::Prefix, "a.test", Url("a.test:81", "/x"), true},
      {Kind::Prefix, "[::1]/x", Url("[::1]", "/x"), true},
      {Kind::Prefix, "/caf%c3%a9/", Url("/caf%C3%A9/x"), true},
      {Kind::Prefix, "/caf\xc3\xa9/", Url("/caf%c3%a9/x"), true},
      {Kind::Prefix, "/%7Eme/", Url("/~me/x"), true},
      {Kind::Prefix, "/a!/", Url("/a%21/x"), true},
      {Kind::Prefix, "/a%2f", Url("/a%2Fb"), true},
      {Kind::Prefix, "/a/", Url("/a%2Fb"), false},
      {Kind::Prefix, "//a", Url("//a/b"), true},
      {Kind::Prefix, "/*", Url("/x"), false},
      {Kind::Glob, "/blog/*/rss", Url("/blog/a/rss"), true},
      {Kind::Glob, "/blog/*/rss", Url("b.test", "/blog/a/rss"), true},
      {Kind::Glob, "/blog/*/rss", Url("/blog/a/b/rss"), false},
      {Kind::Glob, "/blog/**", Url("/blog"), true},
      {Kind::Glob, "/blog/**", Url("/blogs"), false},
      {Kind::Glob, "**.php", Url("/a/b.php"), true},
      {Kind::Glob, "**/feed", Url("b.test", "/a/feed"), true},
      {Kind::Glob, "a.test/blog/*", Url("/blog/x"), true},
      {Kind::Glob, "A.test/blog/*", Url("/blog/x"), true},
      {Kind::Glob, "a.test/blog/*", Url("b.test", "/blog/x"), false},
      {Kind::Glob, "a.test/blog/*", Url("", "/blog/x"), false},
      {Kind::Glob, "a.test/**", Url("/"), true},
      {Kind::Glob, "/%7Eme/*", Url("/~me/x"), true},
      {Kind::Glob, "/caf\xc3\xa9/*", Url("/caf%c3%a9/x"), true},
  };
  for (const auto& c : cases) {
    PurgeBook book(kSeed);
    mark(book, c.kind, c.text, false);
    const keys::PurgeName name = c.url.name();
    EXPECT_EQ(book.check(0, name), c.matches ? Dead : Alive)
        << c.text << " on " << name.authority << name.path;
  }
}

TEST(PurgeBook, ATextThatIsTooLongIsAboutEverything) {
  // More than was meant, never less; whoever takes it from outside refuses it.
  const std::string longest = "/" + std::string(PurgeBook::kMostTextBytes - 1, 'a');
  for (const Kind kind : {Kind::Prefix, Kind::Glob}) {
    PurgeBook book(kSeed);
    mark(book, kind, longest, true);
    EXPECT_EQ(book.check(0, Url("/x").name()), Alive);
    EXPECT_EQ(book.check(0, Url(longest).name()), Stale);
    mark(book, kind, longest + 'a', true);
    EXPECT_EQ(book.check(0, Url("/x").name()), Stale);
  }
}

TEST(PurgeBook, StrangersWhoMarkUrlsTakeNobodysPage) {
  // 100,000 URLs that somebody posts to, and of 10,000 others that were there before none is gone.
  PurgeBook book(kSeed);
  for (int i = 0; i < 100'000; ++i) book.mark_url(Url("/posted/" + std::to_string(i)).name());
  int gone = 0;
  for (int i = 0; i < 10'000; ++i) {
    if (book.check(0, Url("/page/" + std::to_string(i)).name()) != Alive) ++gone;
  }
  EXPECT_EQ(gone, 0);
  for (std::uint64_t i = 0; i < 100'000; i += 37) {
    EXPECT_EQ(book.check(i, Url("/posted/" + std::to_string(i)).name()), Dead) << i;
    EXPECT_EQ(book.check(100'000, Url("/posted/" + std::to_string(i)).name()), Alive) << i;
  }
}

TEST(PurgeBook, TheOldestPrefixOrGlobGivesWayToAFloor) {
  // What is older than the mark that was dropped counts as marked by it; nothing else does.
  for (const Kind kind : {Kind::Prefix, Kind::Glob}) {
    const std::size_t most = kind == Kind::Prefix ? PurgePrefixes::kMost : PurgeGlobs::kMost;
    for (const bool soft : {false, true}) {
      PurgeBook book(kSeed);
      mark(book, kind, "/first", soft);
      for (std::size_t i = 1; i < most; ++i) mark(book, kind, "/p/" + std::to_string(i), false);
      EXPECT_EQ(book.check(0, Url("/x").name()), Alive);
      mark(book, kind, "/last", false);
      EXPECT_EQ(book.check(0, Url("/x").name()), soft ? Stale : Dead);
      EXPECT_EQ(book.check(0, {}), soft ? Stale : Dead);
      EXPECT_EQ(book.check(1, Url("/x").name()), Alive);
      EXPECT_EQ(book.check(1, Url("/first").name()), Alive);
      EXPECT_EQ(book.check(1, Url("/p/1").name()), Dead);
      EXPECT_EQ(book.check(most - 1, Url("/last").name()), Dead);
    }
  }
}

TEST(PurgeBook, MarkingOnePrefixOrGlobAgainTakesNoRoom) {
  for (const Kind kind : {Kind::Prefix, Kind::Glob}) {
    PurgeBook book(kSeed);
    for (int i = 0; i < 12'000; ++i) mark(book, kind, "/again", i % 2 == 0);
    EXPECT_EQ(book.check(0, Url("/x").name()), Alive);
    EXPECT_EQ(book.check(11'999, Url("/again").name()), Dead);
    EXPECT_EQ(marks_of(book).size(), 1U);
  }
}

TEST(PurgeBook, WhatBeginsAfterAMarkIsNotTouchedByIt) {
  // On several threads at once, each with a URL, a tag, a prefix and a glob of its own.
  constexpr int kThreads = 4;
  constexpr int kRounds = 500;
  PurgeBook book(kSeed);
  MarkList log;
  book.set_log(&log);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&book, thread] {
      const std::string own = "/" + std::to_string(thread) + "/";
      const Url url(own + "page");
      for (int i = 0; i < kRounds; ++i) {
        const std::uint64_t before = book.position();
        const std::uint64_t tags[] = {keys::tag_hash(own)};
        const std::string text = i % 5 == 2 ? own : i % 5 == 3 ? own + "*" : own + "page";
        // What its neighbours do is about other pages; mark_all would be about this one.
        const Kind kinds[] = {Kind::Url, Kind::Tag, Kind::Prefix, Kind::Glob, Kind::Url};
        const std::uint64_t at =
            mark(book, kinds[i % 5], i % 5 == 1 ? std::string_view(own) : text, false);
        const std::uint64_t after = book.position();
        EXPECT_LT(before, at);
        EXPECT_LE(at, after);
        EXPECT_EQ(book.check(before, url.name(), tags), Dead);
        EXPECT_EQ(book.check(at - 1, url.name(), tags), Dead);
        EXPECT_EQ(book.check(after, url.name(), tags), Alive);
        if (i % 100 == 0) {
          EXPECT_GE(marks_of(book).size(), 1U);
        }
      }
    });
  }
  threads.clear();
  book.set_log(nullptr);
  ASSERT_EQ(log.size(), static_cast<std::size_t>(kThreads) * kRounds);
  for (std::size_t i = 0; i < log.size(); ++i) EXPECT_EQ(log[i].position, i + 1);
}

}  // namespace
}  // namespace weir::flow
