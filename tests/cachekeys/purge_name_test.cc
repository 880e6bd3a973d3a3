#include "cachekeys/purge_name.h"

#include <gtest/gtest.h>

#include "tests/cachekeys/request.h"

namespace weir::keys {
namespace {

// The name as text, "(none)" where there is none.
std::string spelled(std::string_view key_bytes) {
  const std::optional<PurgeName> name = purge_name(key_bytes);
  if (!name) return "(none)";
  std::string out(name->authority);
  out.append(" ").append(name->path).append(" ").append(name->query);
  return out;
}

std::string at_host(std::string_view host, std::string_view target, std::string_view lines = {}) {
  return "GET " + std::string(target) + " HTTP/1.1\nHost: " + std::string(host) + '\n' +
         std::string(lines);
}

std::string variant_of(const std::string& base, const std::vector<std::string>& vary) {
  const TestRequest request(get("/", "X-A: 1"));
  KeyBuffer out;
  build_variant_key({base, {}}, vary, request.head, recipe_of({}), "a.test", out);
  return std::string(out.view().bytes);
}

TEST(PurgeName, IsAuthorityPathAndKeptQueryAsKeyed) {
  const std::string long_path = "/" + std::string(200, 'p');
  const std::string long_value(20'000, 'x');
  const struct {
    std::string request;
    std::string name;
  } cases[] = {
      {get("/p"), "a.test /p "},
      {get("/"), "a.test / "},
      {get("/p?b=2&a=1&utm_source=x"), "a.test /p a=1&b=2"},
      {get("/p?utm_source=x"), "a.test /p "},
      {get("/p?"), "a.test /p &"},
      {get("/p?&&"), "a.test /p &"},
      {get("/p%7E"), "a.test /p~ "},
      {get("/p%7E?sig=1"), "a.test /p%7E sig=1"},
      {get(long_path), "a.test " + long_path + " "},
      {get("/p?a=" + long_value), "a.test /p a=" + long_value},
      {at_host("A.Test:80", "/p"), "a.test /p "},
      {at_host("a.test:8080", "/p"), "a.test:8080 /p "},
      {at_host("[::1]", "/p"), "[::1] /p "},
  };
  for (const auto& c : cases) EXPECT_EQ(spelled(key_of(c.request, recipe_of({}))), c.name);
  EXPECT_EQ(spelled(key_of(get("/p"), recipe_of({.hostname = false}))), " /p ");
}

TEST(PurgeName, IsOneForAllThatIsStoredOfAUrl) {
  // Scheme, language, headers, cookies and the rule make other keys, and no other name.
  const Recipe recipe = recipe_of({.headers = {"X-T"}, .cookies = {{"c"}, {}, {}}});
  const std::string key = key_of(get("/p?a=1"), recipe);
  const std::optional<PurgeName> name = purge_name(key);
  ASSERT_TRUE(name);
  const std::string others[] = {
      key_of(get("/p?a=1"), recipe, "https"),
      key_of(at_host("a.test:443", "/p?a=1"), recipe, "https"),
      key_of(get("/p?a=1", "Accept-Language: de\nX-T: v\nAccept: application/json"), recipe),
      key_of(get("/p?a=1", "Cookie: c=1\nHX-Request: true"), recipe),
      key_of(get("/p?a=1"), recipe_of({})),
      variant_of(key, {}),
      variant_of(key, {"x-a", "x-b"}),
  };
  for (const std::string& other : others) {
    const std::optional<PurgeName> same = purge_name(other);
    ASSERT_TRUE(same);
    EXPECT_NE(other, key);
    EXPECT_EQ(same->bytes, name->bytes);
    EXPECT_EQ(purge_hash(*same, 7), purge_hash(*name, 7));
  }
}

TEST(PurgeName, TellsOtherUrlsApart) {
  // No byte moves from one field to the next and leaves the name as it was.
  const Recipe recipe = recipe_of({});
  const std::string urls[] = {
      get("/p"),
      get("/p?"),
      get("/p?a"),
      get("/p?a="),
      get("/P"),
      get("/p/"),
      get("/pa"),
      get("/p%2F"),
      get("/?/p"),
      get("/p?a=1"),
      at_host("b.test", "/p"),
      at_host("a.test:81", "/p"),
  };
  for (std::size_t i = 0; i < std::size(urls); ++i) {
    for (std::size_t j = i + 1; j < std::size(urls); ++j) {
      const std::string a = key_of(urls[i], recipe);
      const std::string b = key_of(urls[j], recipe);
      EXPECT_NE(purge_name(a)->bytes, purge_name(b)->bytes) << urls[i] << " / " << urls[j];
      EXPECT_NE(purge_hash(*purge_name(a), 7), purge_hash(*purge_name(b), 7));
    }
  }
}

TEST(PurgeName, HashesOtherwiseWithAnotherSeed) {
  const std::string key = key_of(get("/p"), recipe_of({}));
  EXPECT_NE(purge_hash(*purge_name(key), 7), purge_hash(*purge_name(key), 8));
}

TEST(PurgeName, BytesThatAreNoKeyHaveNone) {
  const std::string fingerprint(8, 'f');
  const std::string whole = "\x01" + fingerprint + "\4http\6a.test\2/p" + std::string(1, '\0');
  EXPECT_EQ(spelled(whole), "a.test /p ");
  const std::string cases[] = {
      "",
      "page",
      "\x01",
      "\x02",
      "\x01" + fingerprint,
      "\x03" + whole.substr(1),
      "\x02" + whole,                                  // no length in front of the base key
      "\x02" + std::string(1, '\0'),                   // an empty one
      "\x02\x05" + whole.substr(0, 5),                 // one that is cut
      "\x02\x7f" + whole,                              // a length past the end
      "\x01" + fingerprint + "\4http\6a.test\x7f/p",   // the same within
      "\x01" + fingerprint + std::string(12, '\xff'),  // a length that does not fit
      "v:" + whole,
  };
  for (const std::string& bytes : cases) EXPECT_EQ(spelled(bytes), "(none)") << bytes;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(purge_name(std::string_view(whole).substr(0, size))) << size;
  }
}

TEST(PurgeName, IsAPieceOfTheKey) {
  const std::string key = key_of(get("/p?a=1"), recipe_of({}));
  const std::optional<PurgeName> name = purge_name(key);
  ASSERT_TRUE(name);
  EXPECT_GE(name->bytes.data(), key.data());
  EXPECT_EQ(name->bytes, "\6a.test\2/p\3a=1");
}

}  // namespace
}  // namespace weir::keys
