// Small pure functions on text: ASCII only, no locale, no allocation unless a string is returned.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir {

inline char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
inline bool equals_ignore_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, ascii_lower, ascii_lower);  // of other lengths: not looked at
}
bool starts_with_ignore_case(std::string_view text, std::string_view prefix);
std::string to_lower(std::string_view text);
// Appends the text in lower case.
void append_lower(std::string& out, std::string_view text);

// Without SP and HTAB at both ends (RFC 9110 OWS).
std::string_view trim_ows(std::string_view text);

// What a terminal would act upon shown as an escape, and what is no UTF-8: control characters,
// those of C1 and those that turn the direction of writing as well. For text of others' making.
std::string terminal_text(std::string_view text);

// 1*DIGIT and nothing else.
bool is_decimal(std::string_view text);
// Its value; empty when it is not that or does not fit.
std::optional<std::uint64_t> parse_decimal(std::string_view digits);

// `*` matches any run of characters, everything else itself. Linear in text times stars.
bool wildcard_match(std::string_view pattern, std::string_view text);
bool wildcard_match_ignore_case(std::string_view pattern, std::string_view text);

// Calls `visit(element)` for each comma-separated element of a list-valued field (RFC 9110 5.6.1),
// trimmed, empty ones left out, commas within quoted strings respected. Parameters (5.6.6) are
// separated by ';' in the same way.
template <class Visit>
void for_each_list_element(std::string_view list, Visit&& visit, char separator = ',') {
  std::size_t start = 0;
  bool quoted = false;
  for (std::size_t i = 0; i <= list.size(); ++i) {
    if (i < list.size()) {
      const char c = list[i];
      if (quoted && c == '\\' && i + 1 < list.size()) {
        ++i;
        continue;
      }
      if (c == '"') quoted = !quoted;
      if (c != separator || quoted) continue;
    }
    const std::string_view element = trim_ows(list.substr(start, i - start));
    if (!element.empty()) visit(element);
    start = i + 1;
  }
}

// The candidate nearest to `word` by edit distance, if near enough to be a likely slip of the pen.
std::optional<std::string_view> nearest_name(std::string_view word,
                                             std::span<const std::string_view> candidates);

}  // namespace weir
