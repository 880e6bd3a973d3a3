// Cache-Control in both directions, Pragma, and CDN-Cache-Control.
#include "base/http/cache_control.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {
namespace {

using Delta = std::optional<std::int64_t>;
constexpr std::int64_t kMax = std::int64_t{1} << 31;
constexpr Delta kNone = std::nullopt;

HeaderBlock block(FieldId id, const std::vector<std::string_view>& lines) {
  HeaderBlock fields;
  for (std::string_view line : lines) fields.add(id, line);
  return fields;
}

ResponseCacheControl response(const std::vector<std::string_view>& lines) {
  return parse_response_cache_control(block(FieldId::CacheControl, lines));
}

ResponseCacheControl cdn(const std::vector<std::string_view>& lines) {
  return parse_cdn_cache_control(block(FieldId::CdnCacheControl, lines));
}

RequestCacheControl request(FieldId id, std::string_view value) {
  RequestHead head;
  head.add({id, field_name(id), value});
  return parse_request_cache_control(head);
}

TEST(CacheControl, DeltaSeconds) {
  // A lifetime is 1*DIGIT, quoted or not; anything else is 0, and too much is 2^31.
  struct Row {
    std::vector<std::string_view> lines;
    Delta max_age_s;
  };
  const Row rows[] = {
      {{"max-age=60"}, 60},
      {{"MAX-AGE=60"}, 60},
      {{"max-age=\"60\""}, 60},
      {{"max-age=\"6\\0\""}, 60},
      {{"public, max-age=60 , foo"}, 60},
      {{",,max-age=60,"}, 60},
      {{"max-age=007"}, 7},
      {{"max-age=0"}, 0},
      {{"max-age=2147483647"}, 2147483647},
      {{"max-age=2147483648"}, kMax},
      {{"max-age=2147483649"}, kMax},
      {{"max-age=99999999999999999999999"}, kMax},
      {{"max-age"}, 0},
      {{"max-age="}, 0},
      {{"max-age=\"\""}, 0},
      {{"max-age=-1"}, 0},
      {{"max-age=+1"}, 0},
      {{"max-age=1.5"}, 0},
      {{"max-age=60a"}, 0},
      {{"max-age=a60"}, 0},
      {{"max-age='60'"}, 0},
      {{"max-age= 60"}, 0},
      {{"max-age=\"60"}, 0},
      {{"max-age=\"60\"x"}, 0},
      {{"max-age=60, max-age=5"}, 5},
      {{"max-age=5", "max-age=60"}, 5},
      {{"max-age=60, max-age=x"}, 0},
      {{"xmax-age=60"}, kNone},
      {{"foo=\"max-age=60\""}, kNone},
      {{"foo=\", max-age=60, \""}, kNone},
      {{"foo=\"a, max-age=60"}, 60},
      {{"fo\"o, max-age=60, b\"ar"}, 60},
      {{""}, kNone},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.lines.front());
    EXPECT_EQ(response(row.lines).max_age_s, row.max_age_s);
    EXPECT_TRUE(response(row.lines).any);
  }
}

TEST(CacheControl, ResponseDirectives) {
  // Every directive sets its own member and no other.
  const auto all = response(
      {"s-maxage=1, stale-while-revalidate=2", "stale-if-error=3, no-store, no-cache, private",
       "public, must-revalidate, proxy-revalidate, must-understand, no-transform, immutable"});
  EXPECT_EQ(all.s_maxage_s, 1);
  EXPECT_EQ(all.stale_while_revalidate_s, 2);
  EXPECT_EQ(all.stale_if_error_s, 3);
  EXPECT_EQ(all.max_age_s, kNone);
  EXPECT_TRUE(all.no_store && all.no_cache && all.is_private && all.is_public);
  EXPECT_TRUE(all.must_revalidate && all.proxy_revalidate && all.must_understand);
  EXPECT_TRUE(all.no_transform && all.immutable);

  const auto none = response({"foo, bar=baz"});
  EXPECT_TRUE(none.any);
  EXPECT_FALSE(none.no_store || none.no_cache || none.is_private || none.is_public);
  EXPECT_FALSE(none.must_revalidate || none.proxy_revalidate || none.must_understand);
  EXPECT_FALSE(none.no_transform || none.immutable);
  EXPECT_FALSE(response({}).any);
}

TEST(CacheControl, QualifiedForms) {
  // no-cache with names restricts those fields; private with names restricts all.
  const auto qualified = response({"no-cache=\"Set-Cookie, X-A\", private=\"x\""});
  EXPECT_FALSE(qualified.no_cache);
  EXPECT_EQ(qualified.no_cache_fields, (std::vector<std::string>{"set-cookie", "x-a"}));
  EXPECT_TRUE(qualified.is_private);
  EXPECT_EQ(response({"no-cache=foo"}).no_cache_fields, std::vector<std::string>{"foo"});
  EXPECT_TRUE(response({"no-cache=\"a\", no-cache"}).no_cache);
  EXPECT_TRUE(response({"no-cache=\"\""}).no_cache);
  EXPECT_TRUE(response({"no-cache=\"a\"b"}).no_cache);
  EXPECT_TRUE(response({"no-store=x"}).no_store);
}

TEST(CacheControl, NothingHidesBehindAStrayQuote) {
  // An unclosed or misplaced quote swallows no directive.
  EXPECT_TRUE(response({"foo=\"bar, no-store"}).no_store);
  EXPECT_TRUE(response({"a\"b, no-store, c\""}).no_store);
  EXPECT_TRUE(response({"foo=\"bar\\", "private"}).is_private);
  EXPECT_TRUE(response({"foo=\"a\\\", no-store"}).no_store);
  EXPECT_FALSE(response({"foo=\"a\\\", no-store\""}).no_store);
}

TEST(CacheControl, Request) {
  // The client's directives, the stricter one of two.
  const auto all =
      request(FieldId::CacheControl,
              "max-age=5, min-fresh=3, max-stale=7, no-cache, no-store, only-if-cached");
  EXPECT_EQ(all.max_age_s, 5);
  EXPECT_EQ(all.min_fresh_s, 3);
  EXPECT_EQ(all.max_stale_s, 7);
  EXPECT_TRUE(all.no_cache && all.no_store && all.only_if_cached);
  EXPECT_EQ(request(FieldId::CacheControl, "max-stale").max_stale_s,
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(request(FieldId::CacheControl, "max-stale, max-stale=5").max_stale_s, 5);
  EXPECT_EQ(request(FieldId::CacheControl, "min-fresh=3, min-fresh=5").min_fresh_s, 5);
  EXPECT_EQ(request(FieldId::CacheControl, "max-age=5, max-age=3").max_age_s, 3);
}

TEST(CacheControl, Pragma) {
  // Pragma: no-cache counts where there is no Cache-Control, and nothing else of it.
  EXPECT_TRUE(request(FieldId::Pragma, "foo, No-Cache").no_cache);
  EXPECT_FALSE(request(FieldId::Pragma, "no-store").no_store);
  RequestHead head;
  head.add({FieldId::Pragma, "Pragma", "no-cache"});
  head.add({FieldId::CacheControl, "Cache-Control", "max-age=5"});
  EXPECT_FALSE(parse_request_cache_control(head).no_cache);
  EXPECT_FALSE(parse_request_cache_control(RequestHead{}).no_cache);
}

TEST(CdnCacheControl, MaxAge) {
  // Only an integer is a lifetime, of equal keys the last one's.
  struct Row {
    std::vector<std::string_view> lines;
    bool any;
    Delta max_age_s;
  };
  const Row rows[] = {
      {{"max-age=60"}, true, 60},
      {{"max-age=60;p=1;q, foo=(1 \"a\";x b), bar=:aGk=:"}, true, 60},
      {{"max-age=60 ,\tno-transform"}, true, 60},
      {{"max-age=5", "max-age=60"}, true, 60},
      {{"max-age=60, max-age=5"}, true, 5},
      {{"max-age=-1"}, true, 0},
      {{"max-age=999999999999999"}, true, kMax},
      {{"max-age=\"60\""}, true, kNone},
      {{"max-age=60.5"}, true, kNone},
      {{"max-age=token"}, true, kNone},
      {{"max-age"}, true, kNone},
      {{"max-age=60, max-age=a"}, true, kNone},
      {{"no-transform"}, true, kNone},
      {{""}, false, kNone},
      {{"max-age=60,"}, false, kNone},
      {{",max-age=60"}, false, kNone},
      {{"max-age=60,,a"}, false, kNone},
      {{"MAX-AGE=60"}, false, kNone},
      {{"max-age=60 a"}, false, kNone},
      {{"max-age="}, false, kNone},
      {{"max-age =60"}, false, kNone},
      {{"max-age= 60"}, false, kNone},
      {{"max-age=60a"}, false, kNone},
      {{"max-age=9999999999999999"}, false, kNone},
      {{"max-age=1.2345"}, false, kNone},
      {{"max-age=60, foo=\"a"}, false, kNone},
      {{"max-age=60, foo=\"\xc3\xa9\""}, false, kNone},
      {{"max-age=60, foo=\"\\a\""}, false, kNone},
      {{"max-age=60, foo=(1"}, false, kNone},
      {{"max-age=60, foo=(1,2)"}, false, kNone},
      {{"max-age=60, foo=:a"}, false, kNone},
      {{"max-age=60, foo=?2"}, false, kNone},
      {{"max-age=60, foo=--1"}, false, kNone},
      {{"max-age=60;"}, false, kNone},
      {{"max-age=60;P"}, false, kNone},
      {{"max-age=60\tfoo"}, false, kNone},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.lines.front());
    EXPECT_EQ(cdn(row.lines).any, row.any);
    EXPECT_EQ(cdn(row.lines).max_age_s, row.max_age_s);
  }
  EXPECT_FALSE(cdn({}).any);
}

TEST(CdnCacheControl, Flags) {
  // A bare key is true and ?0 is false; what restricts counts in whatever form it comes.
  const auto all = cdn({"no-store, no-cache, private, public, must-revalidate, s-maxage=5"});
  EXPECT_TRUE(all.no_store && all.no_cache && all.is_private && all.is_public);
  EXPECT_TRUE(all.must_revalidate);
  EXPECT_EQ(all.s_maxage_s, 5);
  const auto off = cdn({"no-store=?0, no-cache=?0, private=?0, public=?0"});
  EXPECT_TRUE(off.any);
  EXPECT_FALSE(off.no_store || off.no_cache || off.is_private || off.is_public);
  EXPECT_TRUE(cdn({"no-store=1"}).no_store);
  EXPECT_TRUE(cdn({"private=\"x\""}).is_private);
  EXPECT_FALSE(cdn({"public=1"}).is_public);
  EXPECT_EQ(cdn({"no-cache=\"A, b\""}).no_cache_fields, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(cdn({"no-cache=\"A\""}).no_cache);
  EXPECT_TRUE(cdn({"no-cache=(a b)"}).no_cache);
  EXPECT_FALSE(cdn({"no-store, no-store=?0"}).no_store);
}

}  // namespace
}  // namespace weir::http
