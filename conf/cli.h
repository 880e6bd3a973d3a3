// The command line: which command, with what. Parsing only; main runs it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "conf/config.h"
#include "conf/load.h"

namespace weir::conf {

struct RunCommand {
  std::optional<std::string> file;  // -c; else ./weir.yaml, /etc/weir/weir.yaml, the built-in rule
  Overrides overrides;              // flags over WEIR_* variables
};
struct CheckCommand {
  std::optional<std::string> file;  // as of `run`: what is checked is what would run
  Overrides overrides;              // they may complete or mend the file
};
// How a running instance is asked.
struct AdminTarget {
  ListenAddress address;
  std::string token;  // empty: none
};
struct PurgeCommand {
  AdminTarget admin;
  std::string field;  // "url", "prefix", "match" or "all"
  std::string text;   // of all but "all"
  bool soft = false;
  bool json = false;
};
struct HealthCommand {
  AdminTarget admin;
};
struct ExplainCommand {
  std::optional<std::string> file;  // as of `run`
  Overrides overrides;              // needs_upstream is false
  std::string url;
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers;
  bool json = false;
  bool live = false;  // ask the instance at `admin`
  AdminTarget admin;
};
struct VersionCommand {};
// Help was asked for, or usage was wrong: print and leave.
struct Leave {
  int exit_code = 0;
  std::string out;  // to stdout
  std::string err;  // to stderr
};

using Command = std::variant<RunCommand, CheckCommand, ExplainCommand, PurgeCommand, HealthCommand,
                             VersionCommand, Leave>;

Command parse_command_line(int argc, const char* const* argv, const Environment& environment);

}  // namespace weir::conf
