// Loading for tests: a fixed environment and a machine of 4 CPUs and 8 GiB.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conf/load_with.h"

namespace weir::conf {

using Variables = std::map<std::string, std::string>;

inline Environment environment_of(Variables variables) {
  return [variables = std::move(variables)](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

inline Resources big_machine() {
  return {4, 8 * kGiB, std::nullopt};
}

inline LoadResult load(const std::string& text, const Overrides& overrides = {},
                       const Variables& variables = {},
                       const Resources& resources = big_machine()) {
  return load_text_with(text, "weir.yaml", overrides, environment_of(variables), resources);
}

// Every problem as it is printed.
inline std::string errors_of(const LoadResult& result) {
  std::string out;
  for (const Problem& problem : result.problems) out += render(problem);
  return out;
}

inline std::string warnings_of(const LoadResult& result) {
  std::string out;
  if (!result.config) return "not loaded:\n" + errors_of(result);
  for (const std::string& warning : result.config->warnings) out += warning + "\n";
  return out;
}

// For tests of what loads: an app and a route are put in front.
inline constexpr const char* kUpstream = "upstream: http://127.0.0.1:8000\n";

// One line of YAML, and the headline of the only error in it.
struct Fault {
  std::string yaml;
  std::string error;
};

inline void expect_each(const std::string& before, const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    const LoadResult result = load(before + fault.yaml + "\n");
    std::string errors;
    for (const Problem& problem : result.problems) {
      const std::string text = render(problem);
      errors += text.substr(0, text.find('\n'));
    }
    EXPECT_EQ(errors, fault.error) << fault.yaml;
    EXPECT_FALSE(result.config) << fault.yaml;
  }
}

}  // namespace weir::conf
