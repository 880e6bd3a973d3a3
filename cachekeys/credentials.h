// Which request fields say who is asking (docs/KEYS.md, "Credentials"). Built-in knowledge only; a
// route's own is in its recipe. Pure; any thread; no allocation.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/text.h"

namespace weir::keys {

// A field that counts as Authorization by its name: a known one, or one that holds a word such as
// "token" or "session".
bool is_known_credential(std::string_view name);

// X-CSRF-Token and its like: proof that a request is no forgery, which nothing that may be shared
// depends on. No credentials.
bool is_forgery_token(std::string_view name);

// Which first letters the known names have, as bits.
std::uint32_t known_credential_letters();

// Whether the name may hold one of the words: for every field of every request. Each word has a
// "k", "z", "cr", "ss" or "jw" in it, which few other names have.
inline bool may_hold_credential_word(std::string_view name) {
  char before = 0;
  for (const char upper : name) {
    const char c = ascii_lower(upper);
    if (c == 'k' || c == 'z' || (c == 'r' && before == 'c') || (c == 's' && before == 's') ||
        (c == 'w' && before == 'j')) {
      return true;
    }
    before = c;
  }
  return false;
}

}  // namespace weir::keys
