#include "base/text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir {
namespace {

std::vector<std::string_view> elements(std::string_view list) {
  std::vector<std::string_view> out;
  for_each_list_element(list, [&out](std::string_view element) { out.push_back(element); });
  return out;
}

TEST(Text, ListElements) {
  // Elements come trimmed, empty ones are left out, quoted commas do not split.
  using List = std::vector<std::string_view>;
  EXPECT_EQ(elements("a, b ,\tc"), (List{"a", "b", "c"}));
  EXPECT_EQ(elements(",, a ,,"), (List{"a"}));
  EXPECT_EQ(elements(""), List{});
  EXPECT_EQ(elements(" \t "), List{});
  EXPECT_EQ(elements("\"a,b\", c"), (List{"\"a,b\"", "c"}));
  EXPECT_EQ(elements("\"a\\\",b\", c"), (List{"\"a\\\",b\"", "c"}));
  EXPECT_EQ(elements("W/\"x,y\",\"z\""), (List{"W/\"x,y\"", "\"z\""}));
  EXPECT_EQ(elements("a, \"open, b"), (List{"a", "\"open, b"}));
  EXPECT_EQ(elements("a, \"open\\"), (List{"a", "\"open\\"}));
}

TEST(Text, Case) {
  // Letters of ASCII compare without case, and nothing else does.
  EXPECT_TRUE(equals_ignore_case("aZ-9", "Az-9"));
  EXPECT_FALSE(equals_ignore_case("@", "`"));
  EXPECT_FALSE(equals_ignore_case("a", "ab"));
  EXPECT_FALSE(equals_ignore_case("\xc3\x84", "\xc3\xa4"));
  EXPECT_TRUE(starts_with_ignore_case("HTTP://a", "http://"));
  EXPECT_FALSE(starts_with_ignore_case("htt", "http"));
  EXPECT_EQ(to_lower("AbC-\xc4"), "abc-\xc4");
  std::string every;
  std::string expected;
  for (int c = 0; c < 256; ++c) {
    every.push_back(static_cast<char>(c));
    expected.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c));
  }
  for (std::size_t start = 0; start < 9; ++start) {  // wherever a block begins
    std::string out = "Aa";
    append_lower(out, std::string_view(every).substr(start));
    EXPECT_EQ(out, "Aa" + expected.substr(start));
  }
  for (std::size_t size = 0; size < 26; ++size) {  // shorter than a block, and not a whole number
    std::string out = "Aa";
    append_lower(out, std::string_view(every).substr('A', size));
    EXPECT_EQ(out, "Aa" + expected.substr('A', size));
  }
  EXPECT_EQ(trim_ows(" \t a b\t "), "a b");
  EXPECT_EQ(trim_ows("\r\na\v"), "\r\na\v");
  EXPECT_EQ(trim_ows("  "), "");
}

TEST(Text, Decimal) {
  // Digits alone, up to the greatest number that fits.
  EXPECT_EQ(parse_decimal("0"), 0U);
  EXPECT_EQ(parse_decimal("0010"), 10U);
  EXPECT_EQ(parse_decimal("18446744073709551615"), UINT64_MAX);
  for (std::string_view bad : {"", "18446744073709551616", "99999999999999999999", "-1", "+1", " 1",
                               "1 ", "0x1", "1.0", "a"}) {
    EXPECT_EQ(parse_decimal(bad), std::nullopt) << bad;
  }
}

TEST(Text, Wildcards) {
  // A star matches any run, an empty one too; all else matches itself.
  struct Row {
    std::string_view pattern, text;
    bool matches;
  };
  const Row rows[] = {
      {"", "", true},        {"", "a", false},     {"*", "", true},          {"*", "abc", true},
      {"a*", "abc", true},   {"*c", "abc", true},  {"a*c", "abbc", true},    {"a*c", "abcd", false},
      {"**", "a", true},     {"a**b", "ab", true}, {"*a*b*", "xaybz", true}, {"*aab", "aaab", true},
      {"a?c", "abc", false}, {"A", "a", false},    {"a", "", false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(wildcard_match(row.pattern, row.text), row.matches) << row.pattern << ' ' << row.text;
  }
  EXPECT_TRUE(wildcard_match_ignore_case("X-Auth-*", "x-auth-TOKEN"));
  EXPECT_FALSE(wildcard_match_ignore_case("X-Auth-*", "x-aut"));
  // Many stars against a long text that fails at its end still come to an answer at once.
  EXPECT_FALSE(wildcard_match("*a*a*a*a*a*a*a*b", std::string(20000, 'a')));
}

TEST(Text, NearestName) {
  // The likely slip of the pen is found, and nothing for a word that is like none.
  const std::vector<std::string_view> names = {"duration", "query_params", "headers", "ttl"};
  EXPECT_EQ(nearest_name("duraton", names), "duration");
  EXPECT_EQ(nearest_name("headres", names), "headers");
  EXPECT_EQ(nearest_name("query-params", names), "query_params");
  EXPECT_EQ(nearest_name("completely-else", names), std::nullopt);
  EXPECT_EQ(nearest_name("x", std::span<const std::string_view>{}), std::nullopt);
}

TEST(Text, NothingInItActsUponATerminal) {
  const struct {
    std::string_view text;
    std::string_view shown;
  } rows[] = {
      {"plain caf\xC3\xA9 \xE6\xB0\xB4 \xF0\x9F\x90\x9F",
       "plain caf\xC3\xA9 \xE6\xB0\xB4 \xF0\x9F\x90\x9F"},
      {"\x1b[31m\r\n\t\x7F", "\\x1b[31m\\x0d\\x0a\\x09\\x7f"},
      {"\xC2\x9B"
       "31m",
       "\\x9b31m"},  // CSI of C1
      {"\x9B"
       "31m",
       "\\x9b31m"},  // the same where nothing is UTF-8
      {"a\xE2\x80\xAE"
       "b",
       "a\\u202eb"},  // from right to left
      {"cut \xE6\xB0", "cut \\xe6\\xb0"},
      {"", ""},
  };
  for (const auto& row : rows) EXPECT_EQ(terminal_text(row.text), row.shown);
}

}  // namespace
}  // namespace weir
