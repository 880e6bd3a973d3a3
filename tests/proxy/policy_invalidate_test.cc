#include <gtest/gtest.h>

#include "proxy/policy/invalidate.h"
#include "tests/proxy/policy_kit.h"

namespace weir::policy {
namespace {

// Of a post to http://a.test/x/y?q=1.
constexpr TargetUri kTarget = {
    .authority = "a.test", .path = "/x/y", .query = "q=1", .has_query = true};

std::string spelled(const InvalidatedUri& uri) {
  return uri.authority + uri.path + (uri.has_query ? "?" + uri.query : "");
}

std::vector<std::string> invalidated(const Lines& lines, const TargetUri& target = kTarget,
                                     int status = 200, std::string_view method = "POST") {
  std::vector<std::string> all;
  for (const InvalidatedUri& uri :
       invalidated_uris(http::parse_method(method), target, answer(lines, status))) {
    all.push_back(spelled(uri));
  }
  return all;
}

using Uris = std::vector<std::string>;

TEST(PolicyInvalidate, OnlyUnsafeMethodsThatSucceed) {
  // RFC 9111 4.4; a method that is not known is unsafe (RFC 9110 9.2.1), and names have a case.
  const struct {
    const char* method;
    int status;
    bool invalidates;
  } cases[] = {
      {"POST", 200, true},  {"PUT", 201, true},      {"DELETE", 204, true}, {"PATCH", 200, true},
      {"MKCOL", 201, true}, {"post", 200, true},     {"get", 200, true},    {"POST", 299, true},
      {"POST", 300, true},  {"POST", 303, true},     {"POST", 399, true},   {"GET", 200, false},
      {"HEAD", 200, false}, {"OPTIONS", 200, false}, {"TRACE", 200, false}, {"QUERY", 200, false},
      {"POST", 100, false}, {"POST", 199, false},    {"POST", 400, false},  {"DELETE", 404, false},
      {"POST", 500, false}, {"PUT", 503, false},     {"GET", 303, false},   {"POST", 0, false},
  };
  for (const auto& c : cases) {
    const Uris expected = c.invalidates ? Uris{"a.test/x/y?q=1", "a.test/z"} : Uris{};
    EXPECT_EQ(invalidated({{"Location", "/z"}}, kTarget, c.status, c.method), expected)
        << c.method << ' ' << c.status;
  }
}

TEST(PolicyInvalidate, TheTargetAsItWasAskedFor) {
  // Byte for byte: how it is spelled in the key is the key's affair.
  EXPECT_EQ(invalidated({}, {.authority = "A.test:80", .path = "/%7Ex/../y"}),
            Uris{"A.test:80/%7Ex/../y"});
  EXPECT_EQ(invalidated({}, {.authority = "a.test", .path = "/", .has_query = true}),
            Uris{"a.test/?"});
  EXPECT_EQ(invalidated({}, {.authority = "", .path = "/p"}), Uris{"/p"});
}

TEST(PolicyInvalidate, TargetsWithoutAPathAreNoPages) {
  EXPECT_EQ(invalidated({{"Location", "/z"}}, {.authority = "a.test:443"}, 200, "CONNECT"), Uris{});
  EXPECT_EQ(invalidated({{"Location", "/z"}}, {.authority = "a.test", .path = "*"}), Uris{});
}

// What each of the two fields adds to the target; "" for nothing.
struct ReferenceCase {
  const char* reference;
  const char* uri;
};

void expect_added(std::span<const ReferenceCase> cases, const TargetUri& target = kTarget) {
  const std::string own = invalidated({}, target).front();
  for (const char* field : {"Location", "Content-Location"}) {
    for (const ReferenceCase& c : cases) {
      Uris expected = {own};
      if (*c.uri != '\0') expected.emplace_back(c.uri);
      EXPECT_EQ(invalidated({{field, c.reference}}, target), expected) << field << c.reference;
    }
  }
}

TEST(PolicyInvalidate, ReferencesAreResolvedAgainstTheTarget) {
  // RFC 3986 5.2; a fragment names a part of a page, and "" the target itself.
  const ReferenceCase cases[] = {
      {"http://a.test/z", "a.test/z"},
      {"HTTP://A.Test/z", "a.test/z"},
      {"http://a.test:80/z", "a.test/z"},
      {"http://a.test:/z", "a.test/z"},
      {"http://a.test", "a.test/"},
      {"http://a.test/", "a.test/"},
      {"http://a.test?z=1", "a.test/?z=1"},
      {"http://a.test#top", "a.test/"},
      {"http://a.test/b/../z?a=b/../c", "a.test/z?a=b/../c"},
      {"//a.test/z", "a.test/z"},
      {"//A.TEST:80/z", "a.test/z"},
      {"//a.test", "a.test/"},
      {"/z", "a.test/z"},
      {"/", "a.test/"},
      {"/z?", "a.test/z?"},
      {"/z?a=1&b=2", "a.test/z?a=1&b=2"},
      {"/z?a[]=1", "a.test/z?a[]=1"},
      {"/z#top", "a.test/z"},
      {"/z#top?a=1", "a.test/z"},
      {"/z?a#b#c", "a.test/z?a"},
      {"/%7Ez/%2e%2e/b", "a.test/%7Ez/%2e%2e/b"},
      {"/http://b.test/", "a.test/http://b.test/"},
      {"/a:b", "a.test/a:b"},
      {"/?to=http://b.test/", "a.test/?to=http://b.test/"},
      {"/.", "a.test/"},
      {"/..", "a.test/"},
      {"/./z", "a.test/z"},
      {"/../../z", "a.test/z"},
      {"/a/b/c/./../../g", "a.test/a/g"},
      {"/a/b/..", "a.test/a/"},
      {"/a/b/.", "a.test/a/b/"},
      {"/a//../z", "a.test/a/z"},
      {"/.//b.test/z", "a.test//b.test/z"},
      {"/...", "a.test/..."},
      {"/.z/..z/z.", "a.test/.z/..z/z."},
      {"z", "a.test/x/z"},
      {"z/", "a.test/x/z/"},
      {"./z", "a.test/x/z"},
      {"./a:b", "a.test/x/a:b"},
      {"../z", "a.test/z"},
      {"../../../z", "a.test/z"},
      {".", "a.test/x/"},
      {"..", "a.test/"},
      {"z?a=1", "a.test/x/z?a=1"},
      {"?z=1", "a.test/x/y?z=1"},
      {"?", "a.test/x/y?"},
      {"?q=1", ""},
      {"y?q=1", ""},
      {"", ""},
      {"#top", ""},
      {"http://a.test/x/y?q=1#top", ""},
  };
  expect_added(cases);
}

TEST(PolicyInvalidate, OtherOriginsAreNoneOfItsBusiness) {
  // RFC 9111 4.4: MUST NOT, or one app could make another's pages be forgotten.
  const ReferenceCase cases[] = {
      {"http://b.test/z", ""},
      {"//b.test/z", ""},
      {"http://a.test:8080/z", ""},
      {"//a.test:443/z", ""},
      {"https://a.test/z", ""},
      {"https://a.test:80/z", ""},
      {"http://www.a.test/z", ""},
      {"http://a.test.b.test/z", ""},
      {"http://a.test@b.test/z", ""},
      {"http://me@a.test/z", ""},
      {"ftp://a.test/z", ""},
      {"mailto:me@a.test", ""},
      {"z:y", ""},
  };
  expect_added(cases);
}

TEST(PolicyInvalidate, MalformedReferencesAreNotHeard) {
  const ReferenceCase cases[] = {
      {"http:z", ""},
      {"http:/z", ""},
      {"http:", ""},
      {"http://", ""},
      {"http:///z", ""},
      {"///z", ""},
      {"//", ""},
      {"://a.test/z", ""},
      {":z", ""},
      {"1:z", ""},
      {"http://a.test:x/z", ""},
      {"http://a.test:80:80/z", ""},
      {"http://[a.test]/z", ""},
      {"/z y", ""},
      {"/caf\xc3\xa9", ""},
      {"/z\ty", ""},
      {"/\\b.test/z", ""},
      {"\\\\a.test\\z", ""},
      {"http:\\\\a.test/z", ""},
      {"/z?a=\\", ""},
  };
  expect_added(cases);
}

TEST(PolicyInvalidate, PortsAndAddressesOfTheTargetCount) {
  // Its scheme's default port is the same as none.
  const TargetUri secure = {.scheme = "https", .authority = "a.test:443", .path = "/x"};
  const ReferenceCase of_secure[] = {
      {"https://a.test/z", "a.test:443/z"},
      {"//a.test/z", "a.test:443/z"},
      {"https://a.test:443/z", "a.test:443/z"},
      {"http://a.test/z", ""},
      {"http://a.test:443/z", ""},
      {"https://a.test:80/z", ""},
  };
  expect_added(of_secure, secure);
  const TargetUri with_port = {.authority = "[::1]:81", .path = "/x"};
  const ReferenceCase of_port[] = {
      {"http://[::1]:81/z", "[::1]:81/z"}, {"http://[::1]/z", ""}, {"z", "[::1]:81/z"},
      {"//[::1]:81?z", "[::1]:81/?z"},     {"//[::1:81]/z", ""},
  };
  expect_added(of_port, with_port);
  const TargetUri without_host = {.path = "/x"};
  const ReferenceCase of_none[] = {{"/z", "/z"}, {"//a.test/z", ""}, {"///z", ""}};
  expect_added(of_none, without_host);
}

TEST(PolicyInvalidate, EachUriOnceTheTargetFirst) {
  EXPECT_EQ(invalidated({{"Content-Location", "/c"}, {"Location", "/l"}}),
            (Uris{"a.test/x/y?q=1", "a.test/l", "a.test/c"}));
  EXPECT_EQ(invalidated({{"Content-Location", "/l#b"}, {"Location", "http://a.test/l#a"}}),
            (Uris{"a.test/x/y?q=1", "a.test/l"}));
  EXPECT_EQ(invalidated({{"Location", "/l"}, {"Location", "/m"}, {"Link", "</n>"}}),
            (Uris{"a.test/x/y?q=1", "a.test/l", "a.test/m"}));
  EXPECT_EQ(invalidated({{"Location", "http://b.test/"}, {"Content-Location", "y?q=1"}}),
            Uris{"a.test/x/y?q=1"});
}

}  // namespace
}  // namespace weir::policy
