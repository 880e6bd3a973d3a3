// XXH3 over many bytes, with the widest vectors that the processor has, where hash.cc runs on any
// of its kind.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

// The same number as XXH3_64bits_withSeed. Any thread.
std::uint64_t long_hash64(std::string_view bytes, std::uint64_t seed);
// For processors with AVX2 only.
std::uint64_t long_hash64_avx2(std::string_view bytes, std::uint64_t seed);

}  // namespace weir
