// What may stand in a route's `match:`, and which pattern surely covers which. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "conf/config.h"

namespace weir::conf {

// A complaint about a pattern, or nothing. How a path is spelled, escaped or not, does not matter:
// the router brings both patterns and paths to one spelling.
std::optional<std::string> check_path_pattern(std::string_view pattern);
std::optional<std::string> check_host_pattern(std::string_view pattern);
std::optional<std::string> check_regex(const std::string& regex);

// Whether every path that `narrow` matches is certainly matched by `wide`; when in doubt, false.
bool path_covers(std::string_view wide, std::string_view narrow);
// Whether certainly no path matches both; when in doubt, false.
bool paths_disjoint(std::string_view a, std::string_view b);
// The same for whole matchers.
bool matcher_covers(const Matcher& wide, const Matcher& narrow);

}  // namespace weir::conf
