// Lists of names that may hold `*`, as rules write them.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace weir::keys {

inline bool matches_any(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return wildcard_match(pattern, name); });
}

}  // namespace weir::keys
