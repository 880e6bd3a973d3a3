// Entries for tests: short to make, easy to recognise.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/entry.h"

namespace weir::backends::testing {

// A key as the proxy would have it: bytes and their hash.
inline keys::KeyView key_of(std::string_view bytes) {
  return {bytes, hash128(bytes)};
}

inline EntryRef entry_with(keys::KeyView key, Body body) {
  EntryParts parts;
  parts.key = std::string(key.bytes);
  parts.hash = key.hash;
  parts.fields.add("Content-Type", "text/plain");
  parts.fields.add("Content-Length", std::to_string(body.size()));
  parts.body = std::move(body);
  return make_entry(std::move(parts));
}
inline EntryRef entry_of(std::string_view key, std::string_view body) {
  return entry_with(key_of(key), make_body(body));
}
// With a body of this size.
inline EntryRef entry_of_size(std::string_view key, std::size_t body_size) {
  return entry_of(key, std::string(body_size, 'x'));
}

inline EntryRef marker_of(std::string_view key, std::vector<std::string> vary,
                          std::vector<std::string> variants) {
  EntryParts parts;
  parts.kind = EntryKind::VaryMarker;
  parts.key = std::string(key);
  parts.hash = hash128(key);
  parts.vary = std::move(vary);
  parts.variants = std::move(variants);
  return make_entry(std::move(parts));
}

// The body, whole.
inline std::string text_of(const Entry& entry) {
  std::string text;
  for (std::size_t i = 0; i < entry.body_parts(); ++i) text += entry.body_part(i);
  return text;
}

}  // namespace weir::backends::testing
