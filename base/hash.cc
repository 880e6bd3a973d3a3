#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>

#include "base/hash_long.h"
#include "base/random.h"

namespace weir {
namespace {

// XXH3 wants a secret of at least 136 bytes; random bytes meet its entropy advice.
class Secret {
 public:
  Secret() { fill_random(bytes_); }
  const std::array<unsigned char, 192>& bytes() const { return bytes_; }

 private:
  std::array<unsigned char, 192> bytes_{};
};

const Secret kSecret;

// From here on a call into the library is worth its while.
constexpr std::size_t kLongBytes = 512;

}  // namespace

Hash128 hash128(std::string_view bytes) {
  const auto& secret = kSecret.bytes();
  const XXH128_hash_t hash =
      XXH3_128bits_withSecret(bytes.data(), bytes.size(), secret.data(), secret.size());
  return {hash.low64, hash.high64};
}

std::uint64_t stable_hash64(std::string_view bytes, std::uint64_t seed) {
  if (bytes.size() >= kLongBytes) return long_hash64(bytes, seed);
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Hash128 stable_hash128(std::string_view bytes, std::uint64_t seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {hash.low64, hash.high64};
}

std::string xxhash_version() {
  return std::to_string(XXH_VERSION_MAJOR) + '.' + std::to_string(XXH_VERSION_MINOR) + '.' +
         std::to_string(XXH_VERSION_RELEASE);
}

}  // namespace weir
