// Numbers in bytes that outlive the process, lowest byte first. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

template <class Number>
Number swapped_unless_little_endian(Number value) {
  return std::endian::native == std::endian::little ? value : std::byteswap(value);
}

template <class Number>
void put_number(std::string& out, Number value) {
  const Number written = swapped_unless_little_endian(value);
  out.append(reinterpret_cast<const char*>(&written), sizeof written);
}

// Takes it off the front of `in`; whoever calls has seen to it that there is enough.
template <class Number>
Number take_number(std::string_view& in) {
  std::array<char, sizeof(Number)> bytes;
  std::copy_n(in.begin(), bytes.size(), bytes.begin());
  in.remove_prefix(bytes.size());
  return swapped_unless_little_endian(std::bit_cast<Number>(bytes));
}

}  // namespace weir
