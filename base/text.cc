#include "base/text.h"

#include <fmt/format.h>

#include <cstring>
#include <vector>

namespace weir {
namespace {

template <class Equal>
bool wildcard_match_with(std::string_view pattern, std::string_view text, Equal equal) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && equal(pattern[p], text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// Levenshtein distance, one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above + 1, row[j - 1] + 1, substituted});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// Eight bytes at once.
void lower_word(char* at) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  const std::uint64_t low_bits = word & (0x7f * kEach);
  // The high bit of each byte tells: from 'A' on, and behind 'Z'.
  const std::uint64_t from_a = low_bits + (0x80 - 'A') * kEach;
  const std::uint64_t behind_z = low_bits + (0x7f - 'Z') * kEach;
  const std::uint64_t upper = from_a & ~behind_z & ~word & (0x80 * kEach);
  word |= upper >> 2U;
  std::memcpy(at, &word, sizeof word);
}

}  // namespace

bool starts_with_ignore_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equals_ignore_case(text.substr(0, prefix.size()), prefix);
}

std::string to_lower(std::string_view text) {
  std::string out;
  append_lower(out, text);
  return out;
}

// By words, for every key has its authority in it. The last word may lie over the one before it:
// lower case stays lower case.
void append_lower(std::string& out, std::string_view text) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const std::size_t begin = out.size();
  out.append(text);
  if (text.size() < kWord) {
    for (std::size_t at = begin; at < out.size(); ++at) out[at] = ascii_lower(out[at]);
    return;
  }
  const std::size_t last = out.size() - kWord;
  for (std::size_t at = begin; at < last; at += kWord) lower_word(&out[at]);
  lower_word(&out[last]);
}

std::string_view trim_ows(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_decimal(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<std::uint64_t> parse_decimal(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  constexpr std::size_t kNeverTooMany = 19;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] < '0' || digits[i] > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(digits[i] - '0');
    if (i >= kNeverTooMany && value > (UINT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

bool wildcard_match(std::string_view pattern, std::string_view text) {
  return wildcard_match_with(pattern, text, [](char a, char b) { return a == b; });
}

bool wildcard_match_ignore_case(std::string_view pattern, std::string_view text) {
  return wildcard_match_with(pattern, text,
                             [](char a, char b) { return ascii_lower(a) == ascii_lower(b); });
}

std::optional<std::string_view> nearest_name(std::string_view word,
                                             std::span<const std::string_view> candidates) {
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

// ---- terminal_text ----

namespace {

struct Decoded {
  std::uint32_t code = 0;
  std::size_t bytes = 0;  // 0: no UTF-8 begins here
};

// Overlong forms and surrogates are taken as they are: what matters is what a terminal may make of
// them, and that is no control character.
Decoded decode(std::string_view text) {
  const auto byte_at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte_at(0);
  if (first < 0x80) return {first, 1};
  const std::size_t bytes = first < 0xC2   ? 0
                            : first < 0xE0 ? 2
                            : first < 0xF0 ? 3
                            : first < 0xF5 ? 4
                                           : 0;
  if (bytes == 0 || text.size() < bytes) return {};
  std::uint32_t code = first & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte_at(i) & 0xC0U) != 0x80U) return {};
    code = code << 6U | (byte_at(i) & 0x3FU);
  }
  return {code, bytes};
}

bool acts_on_terminal(std::uint32_t code) {
  const bool is_control = code < 0x20 || (code >= 0x7F && code < 0xA0);
  const bool turns = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
                     code == 0x200E || code == 0x200F;
  return is_control || turns;
}

}  // namespace

std::string terminal_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Decoded next = decode(text);
    if (next.bytes == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else if (!acts_on_terminal(next.code)) {
      out += text.substr(0, next.bytes);
    } else {
      out += next.code < 0x100 ? fmt::format("\\x{:02x}", next.code)
                               : fmt::format("\\u{:04x}", next.code);
    }
    text.remove_prefix(std::max<std::size_t>(next.bytes, 1));
  }
  return out;
}

}  // namespace weir
