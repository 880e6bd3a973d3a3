// The command line: which command, with what. Parsing only; main runs it.
#pragma once

#include <cstdint>
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
  bool json = false;
};
// How a running instance is asked.
struct AdminTarget {
  ListenAddress address;
  std::string token;  // empty: none
};
struct PurgeCommand {
  AdminTarget admin;
  std::string field;              // "url", "prefix", "match", "tags" or "all"
  std::string text;               // of all but "tags" and "all"
  std::vector<std::string> tags;  // of "tags"
  bool soft = false;
  bool json = false;
};
// The low-level cache.
struct ValueCommand {
  enum class Kind : std::uint8_t { Get, Set, Clear };
  Kind kind = Kind::Get;
  AdminTarget admin;
  std::string key;                   // empty: all, of Clear alone
  bool exact = false;                // Clear: a `*` in it is a star
  std::optional<std::string> value;  // Set; absent: standard input
  std::string duration;              // Set; empty: the backend's
  std::string type;                  // Set: the content type; empty: none is told
  std::string backend;               // empty: the default one
  bool json = false;
};
struct HealthCommand {
  AdminTarget admin;
  bool json = false;
};
struct TopCommand {
  AdminTarget admin;
  double interval_s = 1;
  bool once = false;  // one report, not a live view
  bool json = false;  // the answer as it came
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
struct VersionCommand {
  bool json = false;
};
// Help was asked for, or usage was wrong: print and leave.
struct Leave {
  int exit_code = 0;
  std::string out;  // to stdout
  std::string err;  // to stderr
};

using Command = std::variant<RunCommand, CheckCommand, ExplainCommand, PurgeCommand, ValueCommand,
                             HealthCommand, TopCommand, VersionCommand, Leave>;

Command parse_command_line(int argc, const char* const* argv, const Environment& environment);

}  // namespace weir::conf
