#include <gtest/gtest.h>

#include "proxy/policy/unsaid.h"
#include "tests/proxy/policy_kit.h"

namespace weir::policy {
namespace {

using backends::EntryMeta;
using Names = std::vector<std::string>;

class Unsaid : public testing::Test {
 protected:
  Shown shown(const Lines& lines) { return shown_by(request(lines), recipe_); }
  // What an answer with these fields to a request with those is noted as.
  EntryMeta noted(const Lines& asked, const Lines& answered, const Names& vary = {}) {
    EntryMeta meta;
    note_unsaid(meta, answer(answered).fields, vary, shown(asked));
    return meta;
  }

  keys::Recipe recipe_ = keys::compile_recipe({}, "app.test");
};

const Lines kNone = {};
const Lines kOne = {{"Origin", "https://one.test"}};
const Lines kTwo = {{"Origin", "https://two.test"}};
const Lines kGzip = {{"Accept-Encoding", "gzip"}};
const Lines kOneGzip = {{"Origin", "https://one.test"}, {"Accept-Encoding", "gzip"}};

TEST_F(Unsaid, AnAnswerServesThoseWhoShowNoMore) {
  // Of each pair: may what was fetched for the first be used for the second?
  const struct {
    Lines asked;
    Lines answered;
    Names vary;
    Lines asks;
    bool serves;
  } cases[] = {
      {kNone, {}, {}, kNone, true},
      {kNone, {}, {}, kOne, false},
      {kNone, {}, {}, kGzip, false},
      {kNone, {{"Access-Control-Allow-Origin", "*"}}, {}, kOne, true},
      {kNone, {{"Access-Control-Allow-Origin", "*"}}, {}, kGzip, false},
      {kNone, {}, {"origin"}, kOne, true},  // the variant's name tells
      {kNone, {}, {"accept-encoding"}, kGzip, true},
      {kNone, {}, {"accept-encoding"}, kOne, false},
      {kNone, {}, {}, {{"Accept-Encoding", "identity"}}, true},
      {kNone, {}, {}, {{"Accept-Encoding", "gzip;q=0"}}, true},
      {kNone, {}, {}, {{"Origin", "https://one.test"}, {"Connection", "origin"}}, true},
      {{{"Origin", "https://one.test"}, {"Connection", "origin"}}, {}, {}, kOne, false},
      {{{"Accept-Encoding", "identity"}}, {}, {}, kGzip, false},
      {kOne, {}, {}, kNone, true},
      {kOne, {}, {}, kOne, true},
      {kOne, {}, {}, kTwo, false},
      {kOne, {}, {}, {{"Origin", ""}}, false},
      {{{"Origin", ""}}, {}, {}, kOne, false},
      {kGzip, {}, {}, kNone, true},
      {kGzip, {}, {}, {{"Accept-Encoding", "br"}}, true},
      {kOneGzip, {}, {}, kOne, true},
      {kOneGzip, {}, {}, kGzip, true},
  };
  int number = 0;
  for (const auto& c : cases) {
    SCOPED_TRACE(number++);
    const EntryMeta meta = noted(c.asked, c.answered, c.vary);
    EXPECT_EQ(serves(meta, request(c.asks), recipe_), c.serves);
    EXPECT_EQ(serves(meta, shown(c.asks)), c.serves);
    EXPECT_EQ(meta.varies, !c.vary.empty());
  }
}

TEST_F(Unsaid, WhatTheAppIsNotSentIsNotShown) {
  // On a sealed route no Origin reaches it.
  conf::CacheRule rule;
  rule.sealed = true;
  recipe_ = keys::compile_recipe(rule, "app.test");
  EXPECT_EQ(shown(kOne).origin, EntryMeta::kNoOrigin);
  EXPECT_TRUE(serves(noted(kNone, {}), request(kOne), recipe_));
}

TEST_F(Unsaid, WhatWouldTakeAnothersPlaceIsToldApart) {
  // By what the new answer is for fewer requests, or by the coding where that differs.
  const Names encoding = {"accept-encoding"};
  const Names origin = {"origin"};
  const Names both = {"accept-encoding", "origin"};
  const struct {
    Lines stored;
    const char* stored_coding;
    Lines arrived;
    const char* arrived_coding;
    Names apart;
  } cases[] = {
      {kNone, "", kNone, "", {}},
      {kNone, "", kGzip, "", {}},
      {kNone, "", kOne, "", {}},
      {kNone, "", kOneGzip, "", {}},
      {kGzip, "", kNone, "", encoding},
      {kGzip, "gzip", kNone, "", encoding},
      {kNone, "", kGzip, "gzip", encoding},
      {kGzip, "gzip", kGzip, "gzip", {}},
      {kOne, "", kTwo, "", origin},
      {kOne, "", kOne, "", {}},
      {kOneGzip, "", kTwo, "", both},
      {kGzip, "", kOne, "", encoding},
  };
  int number = 0;
  for (const auto& c : cases) {
    EXPECT_EQ(
        told_apart_by(noted(c.stored, {}), c.stored_coding, noted(c.arrived, {}), c.arrived_coding),
        c.apart)
        << number++;
  }
}

}  // namespace
}  // namespace weir::policy
