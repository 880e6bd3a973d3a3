// A fuzzer's input as a script: its first byte seeds the cuts, the rest is the message.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"

namespace weir::fuzz {

struct Input {
  std::uint32_t seed = 0;
  std::string_view message;
};

inline Input split_input(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return {};
  return {data[0], {reinterpret_cast<const char*>(data) + 1, size - 1}};
}

// Lengths of successive pieces: 1 to 16 bytes, now and then much more.
class Cuts {
 public:
  explicit Cuts(std::uint32_t seed) : state_(seed * 2654435761U + 1) {}

  std::size_t next() {
    state_ = state_ * 1664525U + 1013904223U;
    const std::uint32_t bits = state_ >> 16;
    return bits % 8 == 0 ? 1 + bits % 1000 : 1 + bits % 16;
  }

 private:
  std::uint32_t state_;
};

// Whether `view` lies within `bytes`, or is empty.
inline bool lies_in(std::string_view view, std::string_view bytes) {
  return view.empty() ||
         (view.data() >= bytes.data() && view.data() + view.size() <= bytes.data() + bytes.size());
}

}  // namespace weir::fuzz
