// Classes of bytes in HTTP's grammar, and searches for the first byte outside one. They decide what
// is accepted, so each class is written out here once, as RFC 9110 5.5, 5.6.2 and RFC 3986 have it.
// Pure; any thread.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace weir::http {

enum CharClass : std::uint8_t {
  kTokenChar = 1,   // tchar
  kValueChar = 2,   // field-value: HTAB, SP, VCHAR, obs-text
  kTargetChar = 4,  // what a request-target may hold: VCHAR without '#'
  kHostChar = 8,    // reg-name without percent-encoding, and without ',', which a list would need
  kQuotedChar = 16  // qdtext
};

namespace detail {

constexpr bool is_alnum(int c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr std::uint8_t classes_of(int c) {
  const auto any_of = [c](std::string_view set) {
    return c != 0 && set.find(static_cast<char>(c)) != std::string_view::npos;
  };
  const bool ascii = c < 0x80;
  const bool visible = c > 0x20 && c < 0x7f;
  const bool value = c == '\t' || c == ' ' || visible || c >= 0x80;
  std::uint8_t classes = 0;
  if (ascii && (is_alnum(c) || any_of("!#$%&'*+-.^_`|~"))) classes |= kTokenChar;
  if (value) classes |= kValueChar;
  if (visible && c != '#') classes |= kTargetChar;
  if (ascii && (is_alnum(c) || any_of("-._~!$&'()*+;="))) classes |= kHostChar;
  if (value && c != '"' && c != '\\') classes |= kQuotedChar;
  return classes;
}

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> table{};
  for (int c = 0; c < 256; ++c) table[static_cast<std::size_t>(c)] = classes_of(c);
  return table;
}

inline constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

}  // namespace detail

inline bool is_char(char c, CharClass wanted) {
  return (detail::kClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

inline const char* find_not(const char* at, const char* end, CharClass wanted) {
  while (at != end && is_char(*at, wanted)) ++at;
  return at;
}

inline bool all_chars(std::string_view text, CharClass wanted) {
  return find_not(text.data(), text.data() + text.size(), wanted) == text.data() + text.size();
}

// 1*tchar.
inline bool is_token(std::string_view text) {
  return !text.empty() && all_chars(text, kTokenChar);
}

// The first byte that may not stand in a field value; values are long, hence 16 at a time.
inline const char* find_not_value(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i space = _mm_set1_epi8(0x20);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i printable = _mm_cmpeq_epi8(_mm_max_epu8(bytes, space), bytes);
    const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    const __m128i good = _mm_andnot_si128(del, _mm_or_si128(printable, tab));
    const auto bad = static_cast<unsigned>(_mm_movemask_epi8(good)) ^ 0xffffU;
    if (bad != 0) return at + std::countr_zero(bad);
  }
#endif
  return find_not(at, end, kValueChar);
}

// What a line of a head may consist of, and any part of it.
inline bool is_field_text(std::string_view text) {
  return find_not_value(text.data(), text.data() + text.size()) == text.data() + text.size();
}

// The first byte that may not stand in a request-target.
inline const char* find_not_target(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // Signed: bytes from 0x80 on are negative, hence never greater than SP.
    const __m128i visible = _mm_cmpgt_epi8(bytes, _mm_set1_epi8(0x20));
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    const __m128i hash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#'));
    const __m128i good = _mm_andnot_si128(_mm_or_si128(del, hash), visible);
    const auto bad = static_cast<unsigned>(_mm_movemask_epi8(good)) ^ 0xffffU;
    if (bad != 0) return at + std::countr_zero(bad);
  }
#endif
  return find_not(at, end, kTargetChar);
}

}  // namespace weir::http
