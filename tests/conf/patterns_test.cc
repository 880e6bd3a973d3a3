#include "conf/patterns.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::conf {
namespace {

TEST(Patterns, WhatOtherServersWriteIsAnsweredWithOurSpelling) {
  // Globs without their slash, and nginx's, Apache's and Varnish's regular expressions.
  const struct {
    const char* text;
    const char* meant;
  } rows[] = {
      {"blog/**", "it begins with \"/\": try /blog/**"},
      {"*.css", "try /**.css"},
      {".css", "try /**.css"},
      {"*", "try /**"},
      {"*/feed", "try /**/feed"},
      {"*admin*", "try /**admin*"},
      {"= /exact", "try /exact"},
      {"=/exact", "try /exact"},
      {"^~ /static/", "try /static/**"},
      {"^~ /static", "try /static/**"},
      {"~ \\.(css|js)$", "try {regex: '\\.(css|js)$'}"},
      {"~* \\.png$", "try {regex: '(?i)\\.png$'}"},
      {"\\.php$", "try {regex: '\\.php$'}"},
      {"^/api/", "try {regex: '^/api/'}"},
      {".*\\.js", "try {regex: '.*\\.js'}"},
      {"~ it's", "try {regex: 'it''s'}"},
      {"blog?page=1", "it begins with \"/\": try /blog/**"},
      {"", "it begins with \"/\": try /blog/**"},
      {"~", "it begins with \"/\": try /blog/**"},
      {"http://a/b", "it begins with \"/\": try /blog/**"},
  };
  for (const auto& row : rows) {
    const auto complaint = check_path_pattern(row.text);
    ASSERT_TRUE(complaint) << row.text;
    EXPECT_TRUE(complaint->ends_with(std::string(" is not a path pattern (") + row.meant + ")"))
        << *complaint;
  }
}

TEST(Patterns, WhatIsProposedIsAccepted) {
  // Following a hint never leads to the next error.
  for (const char* text : {"*.css", ".css", "*", "*/x", "= /a", "^~ /a/", "**x***", "*{a,b}", "a?b",
                           "= a", "^~ a b", "x#y", ".", "*?", "^~", "=", "^~ /a/**"}) {
    const auto complaint = check_path_pattern(text);
    ASSERT_TRUE(complaint) << text;
    const std::size_t at = complaint->rfind("try ");
    if (at == std::string::npos) continue;
    const std::string proposed = complaint->substr(at + 4, complaint->size() - at - 5);
    if (proposed.starts_with('{')) continue;
    EXPECT_FALSE(check_path_pattern(proposed)) << text << ": " << proposed;
  }
}

TEST(Patterns, CoverageIsOnlyClaimedWhenCertain) {
  // Whether the first pattern takes every path of the second.
  const struct {
    const char* wide;
    const char* narrow;
    bool covers;
  } rows[] = {
      {"/**", "/", true},           {"/**", "/a/b", true},
      {"**", "/a/**", true},        {"/a/**", "/a", true},
      {"/a/**", "/a/b", true},      {"/a/**", "/a/**", true},
      {"/a/**", "/a/*/c", true},    {"/a/**", "/ab", false},
      {"/a/**", "/**", false},      {"/a/*", "/a/b", true},
      {"/a/*", "/a/b/c", false},    {"/a/*", "/a/**", false},
      {"/a/*", "/a/x*y", true},     {"/a/x*", "/a/*", false},
      {"/*/b", "/a/b", true},       {"/*/b", "/**/b", false},
      {"/**/b", "/*/b", true},      {"/**.php", "/x/y.php", true},
      {"/**.php", "/x/y.*", false}, {"/a/b/**", "/a/**/b/**", false},
      {"/a", "/a/**", false},       {"/a*", "/a/**", false},
      {"/a/**/b", "/a/**/b", true}, {"/a/**", "/a/**/b/**/c", false},
      {"/*/*/b", "/*/**/b", false}, {"/x/**", "/x/**/b", true},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(path_covers(row.wide, row.narrow), row.covers) << row.wide << " " << row.narrow;
  }
}

TEST(Patterns, DisjointnessIsOnlyClaimedWhenCertain) {
  // Whether no path can match both.
  const struct {
    const char* a;
    const char* b;
    bool disjoint;
  } rows[] = {
      {"/a/**", "/b/**", true},    {"/a/**", "/a", false}, {"/a/**", "/abc", false},
      {"/a", "/ab", true},         {"/**", "/a", false},   {"/a/x*", "/a/y*", true},
      {"/%61/**", "/a/**", false}, {"/%61", "/a", false},  {"/*/x", "/a/y", false},
      {"/a", "/a", false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(paths_disjoint(row.a, row.b), row.disjoint) << row.a << " " << row.b;
    EXPECT_EQ(paths_disjoint(row.b, row.a), row.disjoint) << row.b << " " << row.a;
  }
}

TEST(Patterns, EveryConditionOfAMatcherCounts) {
  // A matcher covers another only if each of its conditions follows from the other's.
  const Matcher any;
  const Matcher path{"/a/**", "", "", {}};
  const Matcher host{"", "", "*.example.org", {}};
  const Matcher sub_host{"/a/b", "", "www.example.org", {}};
  const Matcher get{"/a/**", "", "", {"GET"}};
  const Matcher both{"/a/**", "", "", {"HEAD", "GET"}};
  const Matcher regex{"", "x+", "", {}};
  EXPECT_TRUE(matcher_covers(any, path));
  EXPECT_FALSE(matcher_covers(path, any));
  EXPECT_TRUE(matcher_covers(host, sub_host));
  EXPECT_TRUE(matcher_covers(path, sub_host));
  EXPECT_FALSE(matcher_covers(host, path));
  EXPECT_TRUE(matcher_covers(both, get));
  EXPECT_FALSE(matcher_covers(get, both));
  EXPECT_FALSE(matcher_covers(get, path));
  EXPECT_TRUE(matcher_covers(regex, regex));
  EXPECT_FALSE(matcher_covers(regex, path));
}

}  // namespace
}  // namespace weir::conf
