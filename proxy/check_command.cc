#include "proxy/check_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <vector>

#include "backends/disk/disk_backend.h"
#include "base/file_system.h"
#include "proxy/admin/json.h"

namespace weir {
namespace {

// Another user may be meant to run it, and the folder may change: no more than warnings.
std::vector<std::string> warnings_of(const conf::Config& config) {
  std::vector<std::string> out = config.warnings;
  for (const conf::Backend& backend : config.backends) {
    if (!conf::is_disk(backend)) continue;
    const auto usable = backends::check_cache_dir(system_files(), backend.cache_dir);
    if (usable) continue;
    const bool goes_on = usable.error().code == ErrorCode::Unavailable;
    out.push_back(fmt::format("a start would {}: backend {}: {}",
                              goes_on ? "go on without it" : "fail", backend.name,
                              usable.error().message));
  }
  return out;
}

admin::Json json_of(const conf::Problem& problem) {
  admin::Json out = {{"path", problem.path}, {"message", problem.message}};
  if (problem.source.line == 0) return out;  // of a flag or a variable
  out["file"] = problem.source.file;
  out["line"] = problem.source.line;
  out["column"] = problem.source.column;
  return out;
}

void print_json(const std::optional<std::string>& file, const conf::LoadResult& loaded,
                const std::vector<std::string>& warnings) {
  admin::Json out;
  out["ok"] = loaded.config != nullptr;
  out["file"] = file ? admin::Json(*file) : admin::Json();
  out["errors"] = admin::Json::array();
  for (const conf::Problem& problem : loaded.problems) out["errors"].push_back(json_of(problem));
  out["warnings"] = warnings;
  fmt::print("{}", admin::text_of(out));
}

}  // namespace

int print_problems(const std::optional<std::string>& file, std::span<const conf::Problem> problems,
                   Excerpts excerpts) {
  if (!file) {
    fmt::print(stderr,
               "weir: there is no ./weir.yaml and no /etc/weir/weir.yaml; without a file: ");
  }
  for (const conf::Problem& problem : problems) {
    fmt::print(stderr, "{}",
               excerpts == Excerpts::With ? conf::render(problem) : conf::headline(problem) + "\n");
  }
  return kExitUsage;
}

int check(const std::optional<std::string>& file, const conf::LoadResult& loaded, bool json) {
  const conf::Config* const config = loaded.config.get();
  const std::vector<std::string> warnings =
      config != nullptr ? warnings_of(*config) : std::vector<std::string>();
  if (json) {
    print_json(file, loaded, warnings);
    return config != nullptr ? 0 : kExitUsage;
  }
  if (config == nullptr) return print_problems(file, loaded.problems);
  for (const std::string& warning : warnings) fmt::print(stderr, "warning: {}\n", warning);
  fmt::print("OK: {} ({} backends, {} routes)\n",
             file.value_or("no configuration file, the built-in rule"), config->backends.size(),
             config->routes.size());
  return 0;
}

}  // namespace weir
