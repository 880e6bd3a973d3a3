// Dictionaries of Structured Fields (RFC 8941 3.2, 4.2.2), as far as RFC 9213 needs them: strictly
// parsed, parameters checked and dropped, the contents of inner lists checked and dropped. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http {

enum class ItemType : std::uint8_t { Boolean, Integer, Decimal, String, Token, Bytes, InnerList };

struct DictionaryMember {
  std::string key;
  ItemType type = ItemType::Boolean;
  bool boolean = true;       // of a Boolean
  std::int64_t integer = 0;  // of an Integer
  std::string text;          // of a String or Token
};

// The members in order, of equal keys the last; nothing when the text is malformed.
std::optional<std::vector<DictionaryMember>> parse_structured_dictionary(std::string_view text);

}  // namespace weir::http
