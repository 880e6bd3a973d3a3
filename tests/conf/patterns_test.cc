#include "conf/patterns.h"

#include <gtest/gtest.h>

namespace weir::conf {
namespace {

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
