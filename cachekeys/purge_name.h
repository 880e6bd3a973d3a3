// What one URL is for a purge: its authority as keyed, its path, its kept query; no scheme, method,
// language, header or cookie. So one mark is about all that is stored of a URL. The three are
// fields of every key that lie behind each other (docs/KEYS.md), so that a name is a piece of the
// key's bytes. Pure; no allocation; views into the key, whose owner keeps them alive.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::keys {

// One that is empty is nobody's name: that of what is stored under no URL.
struct PurgeName {
  std::string_view authority;  // empty with `hostname: false`
  std::string_view path;
  std::string_view query;  // "&" for a '?' without any parameter behind it
  // The three with their lengths. Names are the same when these bytes are.
  std::string_view bytes;
};

// Of a base key's bytes, or of a variant key's, which have the name of their base key. Empty for
// bytes that are no key: what the low-level cache holds, what was cut.
std::optional<PurgeName> purge_name(std::string_view key_bytes);

// The same in every process for the same seed. Strangers choose URLs and must not choose where
// their marks lie: the seed is a random one that is kept with what is written.
std::uint64_t purge_hash(const PurgeName& name, std::uint64_t seed);

}  // namespace weir::keys
