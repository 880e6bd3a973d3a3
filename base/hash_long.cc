#include "base/hash_long.h"

#include <xxhash.h>

// CMakeLists.txt looks whether the library chooses by what the processor can.
#ifdef WEIR_XXHASH_DISPATCHES
#include <xxh_x86dispatch.h>
#endif

namespace weir {

std::uint64_t long_hash64(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace weir
