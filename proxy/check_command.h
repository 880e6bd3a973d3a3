// weir check: says whether a configuration is good, for people or in JSON, and returns the exit
// code.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "conf/load.h"

namespace weir {

inline constexpr int kExitUsage = 2;

enum class Excerpts : std::uint8_t { With, Without };
// Each with its place, to stderr; kExitUsage. `file`: where they were read from, nothing for the
// built-in rule.
int print_problems(const std::optional<std::string>& file, std::span<const conf::Problem> problems,
                   Excerpts excerpts = Excerpts::With);

int check(const std::optional<std::string>& file, const conf::LoadResult& loaded, bool json);

}  // namespace weir
