#include "base/hash_long.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weir {

std::uint64_t long_hash64(std::string_view bytes, std::uint64_t seed) {
#ifdef WEIR_HASH_AVX2
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (has_avx2) return long_hash64_avx2(bytes, seed);
#endif
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace weir
