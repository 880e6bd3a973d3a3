#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/cachekeys/random_request.h"
#include "tests/cachekeys/request.h"

namespace weir::keys {
namespace {

constexpr int kRequests = 20'000;

TEST(KeyProperty, KeysAreEqualExactlyWhenTheModelsAre) {
  // Over random requests, a key and its model determine each other.
  const Recipe recipe = random_request_recipe(false);
  std::mt19937 random(20240607);
  std::map<std::string, std::pair<KeyModel, std::string>> by_key;
  std::map<KeyModel, std::pair<std::string, std::string>> by_model;
  for (int i = 0; i < kRequests; ++i) {
    const RandomRequest request = random_request(random);
    const std::string key = key_of(request.text, recipe);
    const auto [a, new_key] = by_key.try_emplace(key, request.model, request.text);
    const auto [b, new_model] = by_model.try_emplace(request.model, key, request.text);
    ASSERT_TRUE(a->second.first == request.model) << "one key, two pages:\n"
                                                  << a->second.second << "\n"
                                                  << request.text;
    ASSERT_EQ(b->second.first, key) << "one page, two keys:\n"
                                    << b->second.second << "\n"
                                    << request.text;
  }
  // The pieces are few enough for both cases to come up often.
  EXPECT_GT(by_key.size(), 1'000U);
  EXPECT_LT(by_key.size(), kRequests * 9U / 10U);
}

TEST(KeyProperty, BytesMovedBetweenNeighboursMakeAnotherKey) {
  // However a text that looks like key fields is cut into parts, no two cuts collide.
  const Recipe recipe = recipe_of(
      {.headers = {"X-T", "X-U"}, .cookies = {{"c", "d"}, {}, conf::CookieRule::Other::Ignore}});
  const std::string text = "a\1x-t\1\3x-u\1c=\1x\1d";
  std::set<std::string> keys;
  std::size_t made = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    for (std::size_t j = i; j <= text.size(); ++j) {
      for (std::size_t k = j; k <= text.size(); ++k) {
        const std::string request =
            get("/" + text.substr(0, i) + "?" + text.substr(i, j - i),
                "X-T:" + text.substr(j, k - j) + "\nX-U:" + text.substr(k) + "\nCookie: c=1");
        keys.insert(key_of(request, recipe));
        ++made;
      }
    }
  }
  EXPECT_EQ(keys.size(), made);
}

TEST(KeyProperty, HeadersAndCookiesCannotStandInForEachOther) {
  // The end of the headers is marked, so that a header is never read as a cookie.
  const Recipe recipe =
      recipe_of({.headers = {"c"}, .cookies = {{"c"}, {}, conf::CookieRule::Other::Ignore}});
  std::set<std::string> keys;
  for (const char* lines : {"", "c: x", "Cookie: c=x", "c: x\nCookie: c=x", "c: x\nc: x",
                            "Cookie: c=x; c=x", "c:", "Cookie: c"}) {
    EXPECT_TRUE(keys.insert(key_of(get("/", lines), recipe)).second) << lines;
  }
}

}  // namespace
}  // namespace weir::keys
