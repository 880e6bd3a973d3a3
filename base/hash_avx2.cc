// Compiled for AVX2 (CMakeLists.txt): nothing here may run before the processor was asked. So no
// header but the library's, whose functions are static here.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/hash_long.h"

namespace weir {

std::uint64_t long_hash64_avx2(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace weir
