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
// The same in every process and release, for what outlives the process: fingerprints of rules,
// checksums, names. With a seed that is kept with what is written they are another place's own.
std::uint64_t stable_hash64(std::string_view bytes, std::uint64_t seed = 0);
Hash128 stable_hash128(std::string_view bytes, std::uint64_t seed);

// "0.8.1".
std::string xxhash_version();

}  // namespace weir
