#include "cachekeys/purge_name.h"

#include "base/hash.h"
#include "cachekeys/key.h"
#include "cachekeys/key_fields.h"

namespace weir::keys {
std::optional<PurgeName> purge_name(std::string_view key_bytes) {
  std::string_view rest = key_bytes;
  if (take_version(rest, kVariantKeyVersion)) rest = take_field(rest).value_or("");
  if (!take_version(rest, kBaseKeyVersion) || rest.size() < kFingerprintBytes) return std::nullopt;
  rest.remove_prefix(kFingerprintBytes);
  if (!take_field(rest)) return std::nullopt;  // the scheme
  const std::string_view from_authority = rest;
  const auto authority = take_field(rest);
  const auto path = take_field(rest);
  const auto query = take_field(rest);
  if (!authority || !path || !query) return std::nullopt;
  return PurgeName{*authority, *path, *query,
                   from_authority.substr(0, from_authority.size() - rest.size())};
}

std::uint64_t purge_hash(const PurgeName& name, std::uint64_t seed) {
  return stable_hash64(name.bytes, seed);
}

}  // namespace weir::keys
