#include <gtest/gtest.h>

#include "proxy/policy/select.h"
#include "tests/proxy/policy_kit.h"

namespace weir::policy {
namespace {

struct Case {
  std::string what;
  Lines lines;
  bool not_modified;
};

constexpr Validators kTagged = {.status = 200,
                                .etag = "\"v1\"",
                                .last_modified = "Sun, 15 Jun 2025 14:00:00 GMT",
                                .date = "Sun, 15 Jun 2025 15:00:00 GMT"};

void expect(const std::vector<Case>& cases, const Validators& stored) {
  for (const Case& c : cases) {
    EXPECT_EQ(select(request(c.lines), stored, kWall_s),
              c.not_modified ? Selection::NotModified : Selection::Whole)
        << c.what;
  }
}

TEST(PolicySelect, ComparesTheTagsOfIfNoneMatchWeakly) {
  // RFC 9110 13.1.2, 8.8.3.2.
  expect(
      {
          {"the tag", {{"If-None-Match", "\"v1\""}}, true},
          {"weak in the request", {{"If-None-Match", "W/\"v1\""}}, true},
          {"another", {{"If-None-Match", "\"v2\""}}, false},
          {"one of a list", {{"If-None-Match", "\"v0\", W/\"v1\" ,\"v2\""}}, true},
          {"empty list elements", {{"If-None-Match", ", ,\"v1\""}}, true},
          {"none of a list", {{"If-None-Match", "\"v0\",\"v2\""}}, false},
          {"several lines are one list",
           {{"If-None-Match", "\"v0\""}, {"If-None-Match", "\"v1\""}},
           true},
          {"any", {{"If-None-Match", "*"}}, true},
          {"any, with spaces", {{"If-None-Match", " * "}}, true},
          {"a star in a tag is a star", {{"If-None-Match", "\"*\""}}, false},
          {"a comma within the quotes", {{"If-None-Match", "\"a,\"v1\""}}, false},
          {"letters have a case", {{"If-None-Match", "\"V1\""}}, false},
          {"w/ is no weak mark", {{"If-None-Match", "w/\"v1\""}}, false},
          {"without quotes", {{"If-None-Match", "v1"}}, false},
          {"unended", {{"If-None-Match", "\"v1"}}, false},
          {"what follows is no comma", {{"If-None-Match", "\"v1\"x"}}, false},
          {"what stands behind a fault is not read", {{"If-None-Match", "v0, \"v1\""}}, false},
          {"empty", {{"If-None-Match", ""}}, false},
      },
      kTagged);
}

TEST(PolicySelect, ATagMayHoldCommasAndBackslashes) {
  // RFC 9110 8.8.3: a tag's bytes are opaque, a backslash escapes nothing.
  Validators stored = kTagged;
  stored.etag = "W/\"a,b\\\"";
  expect({{"alone", {{"If-None-Match", "\"a,b\\\""}}, true},
          {"behind another", {{"If-None-Match", "\"x\\\", \"a,b\\\""}}, true},
          {"a part of it", {{"If-None-Match", "\"b\\\""}}, false}},
         stored);
}

TEST(PolicySelect, WithoutATagOnlyAStarMatches) {
  Validators stored = kTagged;
  stored.etag = {};
  expect({{"any", {{"If-None-Match", "*"}}, true},
          {"a tag", {{"If-None-Match", "\"v1\""}}, false},
          {"an empty tag", {{"If-None-Match", "\"\""}}, false}},
         stored);
}

TEST(PolicySelect, ComparesIfModifiedSinceWithLastModified) {
  // RFC 9110 13.1.3.
  expect(
      {
          {"the same second", {{"If-Modified-Since", "Sun, 15 Jun 2025 14:00:00 GMT"}}, true},
          {"later", {{"If-Modified-Since", "Sun, 15 Jun 2025 14:00:01 GMT"}}, true},
          {"earlier", {{"If-Modified-Since", "Sun, 15 Jun 2025 13:59:59 GMT"}}, false},
          {"an old form", {{"If-Modified-Since", "Sunday, 15-Jun-25 14:00:00 GMT"}}, true},
          {"no date", {{"If-Modified-Since", "yesterday"}}, false},
          {"empty", {{"If-Modified-Since", ""}}, false},
          {"two of them",
           {{"If-Modified-Since", "Sun, 15 Jun 2025 14:00:00 GMT"},
            {"If-Modified-Since", "Sun, 15 Jun 2025 14:00:00 GMT"}},
           false},
      },
      kTagged);
}

TEST(PolicySelect, WithoutLastModifiedTheDateStandsForIt) {
  // RFC 9111 4.3.2.
  Validators stored = kTagged;
  stored.last_modified = {};
  const std::vector<Case> cases = {
      {"the same second", {{"If-Modified-Since", "Sun, 15 Jun 2025 15:00:00 GMT"}}, true},
      {"before it", {{"If-Modified-Since", "Sun, 15 Jun 2025 14:00:00 GMT"}}, false},
  };
  expect(cases, stored);
  stored.date = {};
  expect({{"neither", {{"If-Modified-Since", "Sun, 15 Jun 2025 15:00:00 GMT"}}, false}}, stored);
  stored.last_modified = "garbage";
  stored.date = kTagged.date;
  expect({{"an unreadable one is not replaced",
           {{"If-Modified-Since", "Sun, 15 Jun 2025 15:00:00 GMT"}},
           false}},
         stored);
}

TEST(PolicySelect, IfNoneMatchAloneCountsWhereBothAreThere) {
  // RFC 9110 13.1.3: the date must not bring a 304 that the tags deny.
  const std::string now = "Sun, 15 Jun 2025 14:00:00 GMT";
  const std::string old = "Sun, 15 Jun 2025 13:00:00 GMT";
  expect({{"tag differs, date agrees",
           {{"If-None-Match", "\"v2\""}, {"If-Modified-Since", now}},
           false},
          {"tag agrees, date differs",
           {{"If-None-Match", "\"v1\""}, {"If-Modified-Since", old}},
           true}},
         kTagged);
}

TEST(PolicySelect, LeavesTheOriginsPreconditionsAlone) {
  // RFC 9111 4.3.2.
  expect(
      {{"If-Match", {{"If-Match", "\"v2\""}}, false},
       {"If-Unmodified-Since", {{"If-Unmodified-Since", "Sun, 15 Jun 2025 13:00:00 GMT"}}, false},
       {"no condition", {}, false}},
      kTagged);
}

TEST(PolicySelect, ConditionsAreAboutASuccessfulGetOrHead) {
  // RFC 9110 13.2.1.
  const Lines lines = {{"If-None-Match", "\"v1\""}};
  for (const int status : {200, 203, 204}) {
    Validators stored = kTagged;
    stored.status = status;
    EXPECT_EQ(select(request(lines), stored, kWall_s), Selection::NotModified) << status;
  }
  for (const int status : {301, 404, 500}) {
    Validators stored = kTagged;
    stored.status = status;
    EXPECT_EQ(select(request(lines), stored, kWall_s), Selection::Whole) << status;
  }
  EXPECT_EQ(select(request(lines, "HEAD"), kTagged, kWall_s), Selection::NotModified);
  EXPECT_EQ(select(request(lines, "POST"), kTagged, kWall_s), Selection::Whole);
}

}  // namespace
}  // namespace weir::policy
