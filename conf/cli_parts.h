// What the commands of the command line have in common. For conf/cli*.cc only.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "conf/cli.h"

namespace CLI {
class App;
}

namespace weir::conf {

inline constexpr int kUsageError = 2;

// What is done with the options that a command has declared: an invocation is parsed into them, or
// they are described (cli_describe.h). A value means that there is nothing to run.
using Take = std::function<std::optional<Leave>(CLI::App& options)>;

struct CliCommand {
  std::string_view name;
  std::string_view arguments;  // of the overview: "[-c FILE] …"
  std::string_view summary;    // a few words
  // Declares its options, has them taken, and says what is to be run.
  Command (*read)(const Take& take, const Environment& environment);
};
// In the order in which they are told of.
std::span<const CliCommand> cli_commands();

Leave usage_error(std::string_view command, std::string_view message);

// WEIR_UPSTREAM, WEIR_LISTEN, WEIR_ADMIN.
Overrides from_environment(const Environment& environment);
void add_file(CLI::App& app, std::optional<std::string>& file);
void add_overrides(CLI::App& app, Overrides& overrides);
// --admin of a command that asks a running instance.
void add_admin(CLI::App& app, std::string& address, const Environment& environment);
std::variant<AdminTarget, Leave> read_target(std::string_view command, const std::string& address,
                                             const Environment& environment);

// ---- commands that have a file of their own ----
Command read_get(const Take& take, const Environment& environment);
Command read_set(const Take& take, const Environment& environment);
Command read_clear(const Take& take, const Environment& environment);
Command read_explain(const Take& take, const Environment& environment);
Command read_completion(const Take& take, const Environment& environment);
Command read_help(const Take& take, const Environment& environment);

// What `weir --help` says.
std::string overview();

}  // namespace weir::conf
