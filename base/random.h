// Random numbers that nobody can guess, of the system's. Any thread.
#pragma once

#include <cstdint>
#include <span>

namespace weir {

void fill_random(std::span<unsigned char> bytes);
std::uint64_t random_number();

}  // namespace weir
