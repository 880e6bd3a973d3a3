// From text to Config. Every error is reported, not the first: each with file, line, column, the
// path in the document, the source line and a caret, and the nearest valid name where one is near.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"

namespace weir::conf {

// What stands outside the file and wins over it.
struct Overrides {
  std::optional<std::string> upstream;
  std::optional<std::string> listen;
  std::optional<std::string> admin;
  // False where nobody will ask the app: then a configuration that does not say where it is, will
  // do.
  bool needs_upstream = true;
};

// Reads a variable of the environment; empty optional when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// A fault in the configuration, ready to print.
struct Problem {
  Source source;     // line 0 when it has no place in a file (a flag, a variable)
  std::string path;  // "backends.ram.max_size", "routes[2].cache.duration"
  std::string message;
  std::string excerpt;  // the source line; empty without a place
};

// "FILE:LINE:COL: path: message".
std::string headline(const Problem& problem);
// The same, the source line, and a caret under the column, each with its newline.
std::string render(const Problem& problem);

struct LoadResult {
  std::shared_ptr<const Config> config;  // null when there are problems
  std::vector<Problem> problems;
};

// `file_name` is for messages only. Pure but for `environment`.
LoadResult load_text(std::string_view text, const std::string& file_name,
                     const Overrides& overrides, const Environment& environment);
LoadResult load_file(const std::string& path, const Overrides& overrides,
                     const Environment& environment);
// Without any file: every path cached for 5 s in 256 MiB of RAM in front of overrides.upstream.
LoadResult load_builtin(const Overrides& overrides, const Environment& environment);

}  // namespace weir::conf
