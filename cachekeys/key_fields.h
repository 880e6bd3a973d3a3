// Reading a key's bytes back, field by field (docs/KEYS.md, "The bytes"). Pure; views into the key.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/text_list.h"

namespace weir::keys {

inline constexpr std::size_t kFingerprintBytes = 8;

// Takes a field, a length and so many bytes, from the front; empty when it is cut.
inline std::optional<std::string_view> take_field(std::string_view& bytes) {
  const std::optional<std::uint64_t> size = take_count(bytes);
  if (!size || *size > bytes.size()) return std::nullopt;
  const std::string_view field = bytes.substr(0, *size);
  bytes.remove_prefix(field.size());
  return field;
}

inline bool take_version(std::string_view& bytes, char version) {
  if (!bytes.starts_with(version)) return false;
  bytes.remove_prefix(1);
  return true;
}

}  // namespace weir::keys
