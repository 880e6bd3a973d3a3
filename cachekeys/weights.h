// Elements of Accept, Accept-Encoding and Accept-Language with their weights (RFC 9110 12.4.2).
#pragma once

#include <string_view>

namespace weir::keys {

inline constexpr int kFullWeight = 1000;  // q=1
inline constexpr int kMalformedWeight = -1;

struct Weighted {
  std::string_view value;    // what stands before the first ';'
  int weight = kFullWeight;  // in thousandths; kMalformedWeight when it is not a qvalue
  bool parameters = false;   // whether there are others than q
};

Weighted parse_weighted(std::string_view element);

// Whether a parameter ("q=0.5", "version=2") is the weight.
bool is_weight_parameter(std::string_view parameter);

// Calls `visit(parameter)` for each parameter behind the value, trimmed, empty ones left out.
template <class Visit>
void for_each_weighted_parameter(std::string_view element, Visit&& visit);

}  // namespace weir::keys

#include "cachekeys/weights.inl"
