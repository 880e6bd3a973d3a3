#include "base/random.h"

#include <sys/random.h>

#include <array>
#include <bit>

#include "base/check.h"

namespace weir {

void fill_random(std::span<unsigned char> bytes) {
  // Up to 256 bytes are given whole.
  WEIR_CHECK(bytes.size() <= 256);
  WEIR_CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
}

std::uint64_t random_number() {
  std::array<unsigned char, sizeof(std::uint64_t)> bytes{};
  fill_random(bytes);
  return std::bit_cast<std::uint64_t>(bytes);
}

}  // namespace weir
