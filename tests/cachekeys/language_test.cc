#include <gtest/gtest.h>

#include "cachekeys/normalize.h"
#include "tests/cachekeys/request.h"

namespace weir::keys {
namespace {

using Mode = conf::LanguageRule::Mode;

std::string language(std::string_view lines, const conf::LanguageRule& rule) {
  const TestRequest request(get("/", lines));
  std::string out;
  append_language(request.head, rule, out);
  return out;
}
std::string header(std::string_view value) {
  return "Accept-Language: " + std::string(value);
}

TEST(ClientLanguage, IsTheBestAndTheNextOfAnotherPrimaryLanguage) {
  // `language: true` keeps two languages at most, in lower case and without weights.
  const struct {
    const char* accept;
    const char* normal;
  } cases[] = {
      {"de-CH, de;q=0.9, en;q=0.8, fr;q=0.7", "de-ch, en"},
      {"en", "en"},
      {"en-US,en;q=0.5", "en-us"},
      {"en;q=0.5, it;q=0.9", "it, en"},
      {"fr, de", "fr, de"},
      {"*", ""},
      {"de, *;q=0.5", "de"},
      {"de;q=0, en", "en"},
      {"de;q=0", ""},
      {"", ""},
      {"x y, en", "en"},
      {"en;q=2, it;q=0.1", "it"},
      {"toolonglanguage, sr-Latn-RS", "sr-latn-rs"},
      {"de-, -de, de--ch, it", "it"},
      {"EN, en-gb, DE", "en, de"},
      {"<script>, en;q=0.3", "en"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(language(header(c.accept), {}), c.normal) << c.accept;
  }
  EXPECT_EQ(language("", {}), "");
  EXPECT_EQ(language("Accept-Language: de;q=0.5\nAccept-Language: it", {}), "it, de");
}

TEST(ListedLanguage, IsNegotiatedByLookup) {
  // `language: [en, it]` is RFC 4647 3.4 in the order of the client's weights, q=0 excluded.
  const conf::LanguageRule rule{Mode::List, {"en", "it", "pt-br", "zh-hant"}};
  const struct {
    const char* accept;
    const char* chosen;
  } cases[] = {
      {"it", "it"},
      {"it-CH", "it"},
      {"de, it;q=0.5", "it"},
      {"de", "en"},
      {"", "en"},
      {"en;q=0.1, it;q=0.2", "it"},
      {"PT-BR-x-foo", "pt-br"},
      {"pt", "en"},
      {"zh-Hant-CN-x-private1", "zh-hant"},
      {"zh-Hant-x-private1", "zh-hant"},
      {"*", "en"},
      {"en;q=0, *", "it"},
      {"en;q=0", "it"},
      {"it-CH, it;q=0", "en"},
      {"en;q=0, it;q=0, pt-br;q=0, zh;q=0", "en"},
      {"it;q=0.5, *", "en"},
      {"zh-hant, zh;q=0", "zh-hant"},
      {"it;q=x, pt-br;q=0.1", "pt-br"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(language(header(c.accept), rule), c.chosen) << c.accept;
  }
  EXPECT_EQ(language("", rule), "en");
}

TEST(Language, IsNothingWhenItIsNotInTheKey) {
  // `language: false` sends no Accept-Language.
  EXPECT_EQ(language(header("de"), {Mode::None, {}}), "");
}

TEST(Language, IsBoundedWhateverAClientSends) {
  // A list of thousands of languages costs no more than its first ones.
  std::string many;
  for (int i = 0; i < 5000; ++i)
    many += "x" + std::string(1, static_cast<char>('a' + i % 26)) + ",";
  EXPECT_EQ(language(header(many + "en;q=1"), {}), "xa, xb");
}

}  // namespace
}  // namespace weir::keys
