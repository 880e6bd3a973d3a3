// XXH3 over many bytes, with the widest vectors that the processor has: the library's own code,
// where hash.cc has its short form inlined.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

// The same number as XXH3_64bits_withSeed. Any thread.
std::uint64_t long_hash64(std::string_view bytes, std::uint64_t seed);

}  // namespace weir
