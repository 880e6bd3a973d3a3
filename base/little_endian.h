// Numbers in bytes that outlive the process, lowest byte first. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace weir {

template <class Number>
void put_number(std::string& out, Number value) {
  auto rest = static_cast<std::make_unsigned_t<Number>>(value);
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    out.push_back(static_cast<char>(rest & 0xffU));
    if constexpr (sizeof(Number) > 1) rest >>= 8U;
  }
}

// Takes it off the front of `in`; whoever calls has seen to it that there is enough.
template <class Number>
Number take_number(std::string_view& in) {
  std::make_unsigned_t<Number> value = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;) {
    const auto byte = static_cast<unsigned char>(in[i]);
    if constexpr (sizeof(Number) > 1) value <<= 8U;
    value = static_cast<std::make_unsigned_t<Number>>(value | byte);
  }
  in.remove_prefix(sizeof(Number));
  return static_cast<Number>(value);
}

}  // namespace weir
