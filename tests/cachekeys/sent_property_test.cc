#include <gtest/gtest.h>

#include <map>

#include "base/text.h"
#include "cachekeys/normalize.h"
#include "tests/cachekeys/random_request.h"
#include "tests/cachekeys/request.h"

namespace weir::keys {
namespace {

constexpr int kRequests = 20'000;

// What a shared request shows the app, order of unequal names and case of names aside.
struct Shown {
  std::string path;
  std::string query;  // in its key form: order and needless escapes are the client's
  std::string host;
  Lines fields;
  bool operator==(const Shown&) const = default;
};

Shown shown(const SentRequest& sent, const Recipe& recipe) {
  Shown result;
  const std::size_t mark = sent.target.find('?');
  result.path = sent.target.substr(0, mark);
  if (mark != sent.target.npos) {
    append_key_query(std::string_view(sent.target).substr(mark + 1), recipe.query, result.query);
  }
  result.host = sent.host;
  sent.fields.for_each([&](const http::FieldView& field) {
    result.fields[to_lower(field.name)].emplace_back(field.value);
  });
  return result;
}

// docs/KEYS.md, "What still passes": fields that reach the app of an unsealed route unkeyed.
void forget_what_passes(const Recipe& recipe, Lines& fields) {
  fields.erase("accept-encoding");
  if (recipe.sealed) return;
  for (const char* name : {"user-agent", "origin", "x-other"}) fields.erase(name);
}

void expect_one_sight_per_key(bool sealed) {
  const Recipe recipe = random_request_recipe(sealed);
  std::mt19937 random(sealed ? 7 : 11);
  std::map<std::string, std::pair<Shown, std::string>> by_key;
  int shared = 0;
  for (int i = 0; i < kRequests; ++i) {
    const RandomRequest request = random_request(random);
    Shown sight = shown(shared_of(request.text, recipe), recipe);
    forget_what_passes(recipe, sight.fields);
    const auto [at, is_new] = by_key.try_emplace(key_of(request.text, recipe), sight, request.text);
    if (!is_new) ++shared;
    ASSERT_TRUE(at->second.first == sight) << "one key, two sights:\n"
                                           << at->second.second << "\n"
                                           << request.text;
  }
  EXPECT_GT(shared, kRequests / 10);
}

TEST(SentProperty, OneKeyShowsTheAppOneRequest) {
  // What is not in the key is not in the request, but for the fields documented to pass.
  expect_one_sight_per_key(false);
}

TEST(SentProperty, OneKeyShowsTheAppOneRequestWhenSealed) {
  // Sealed, nothing passes but Accept-Encoding, which the stored coding answers for.
  expect_one_sight_per_key(true);
}

TEST(SentProperty, VariantKeysAreEqualExactlyWhenTheAppSawTheSameLines) {
  // Vary is judged on what was sent: same lines of the named fields, same variant.
  const Recipe recipe = random_request_recipe(false);
  const std::vector<std::string> vary = {"accept", "accept-encoding", "cookie",  "origin",
                                         "range",  "user-agent",      "x-other", "x-t",
                                         "x_t"};
  std::mt19937 random(13);
  std::map<std::string, std::pair<Lines, std::string>> by_variant;
  std::map<std::pair<std::string, Lines>, std::string> by_lines;
  for (int i = 0; i < kRequests; ++i) {
    const RandomRequest request = random_request(random);
    const TestRequest parsed(request.text);
    KeyBuffer base;
    build_key(parsed.head, recipe, {.authority = parsed.head.authority}, base);
    KeyBuffer variant;
    build_variant_key(base.view(), vary, parsed.head, recipe, parsed.head.authority, variant);
    Lines lines = shown(shared_of(request.text, recipe), recipe).fields;
    std::erase_if(
        lines, [&](const auto& line) { return std::ranges::find(vary, line.first) == vary.end(); });
    const auto [a, new_variant] = by_variant.try_emplace(variant.raw(), lines, request.text);
    ASSERT_TRUE(a->second.first == lines) << a->second.second << "\n" << request.text;
    const auto [b, new_lines] = by_lines.try_emplace({base.raw(), lines}, variant.raw());
    ASSERT_EQ(b->second, variant.raw()) << request.text;
  }
}

}  // namespace
}  // namespace weir::keys
