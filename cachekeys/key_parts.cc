#include "cachekeys/key_parts.h"

#include <array>

#include "cachekeys/key.h"
#include "cachekeys/key_fields.h"

namespace weir::keys {
namespace {

std::uint64_t take_fingerprint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kFingerprintBytes; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  bytes.remove_prefix(kFingerprintBytes);
  return value;
}

// A header and its value, as many as there are before the field without a name.
bool take_headers(std::string_view& bytes, std::vector<KeyParts::Pair>& out) {
  while (const auto name = take_field(bytes)) {
    if (name->empty()) return true;
    const auto value = take_field(bytes);
    if (!value) return false;
    out.push_back({*name, *value});
  }
  return false;
}

// The rest of the key; a cookie's name may be empty.
bool take_cookies(std::string_view& bytes, std::vector<KeyParts::Pair>& out) {
  while (!bytes.empty()) {
    const auto name = take_field(bytes);
    const auto value = name ? take_field(bytes) : std::nullopt;
    if (!value) return false;
    out.push_back({*name, *value});
  }
  return true;
}

}  // namespace

std::optional<KeyParts> read_key(std::string_view bytes) {
  if (!take_version(bytes, kBaseKeyVersion) || bytes.size() < kFingerprintBytes) {
    return std::nullopt;
  }
  KeyParts parts;
  parts.fingerprint = take_fingerprint(bytes);
  for (std::string_view* const part :
       std::array{&parts.scheme, &parts.authority, &parts.path, &parts.query, &parts.language}) {
    const auto field = take_field(bytes);
    if (!field) return std::nullopt;
    *part = *field;
  }
  if (!take_headers(bytes, parts.headers) || !take_cookies(bytes, parts.cookies)) {
    return std::nullopt;
  }
  return parts;
}

}  // namespace weir::keys
