// A 128-bit hash of bytes, seeded with a secret drawn at start so that nobody outside can choose
// colliding keys. A shortcut to the bytes, never a name for them: whoever finds by hash compares
// the bytes too. Never written anywhere that outlives the process; `stable_hash64` is for that.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
};

// Any thread.
Hash128 hash128(std::string_view bytes);
// Unseeded, the same in every process and release: fingerprints of rules.
std::uint64_t stable_hash64(std::string_view bytes);

// "0.8.1".
std::string xxhash_version();

}  // namespace weir
