// weir get, set and clear: the low-level cache.
#include <CLI/CLI.hpp>

#include "conf/cli_parts.h"

namespace weir::conf {
namespace {

using Kind = ValueCommand::Kind;

constexpr std::string_view kGetFooter =
    "The value's bytes go to standard output.\n"
    "\n"
    "Examples:\n"
    "  weir get last_posts\n"
    "\n"
    "Exit codes: 0; 1 when it is not there, or nobody answers; 2 for wrong usage.\n";

constexpr std::string_view kSetFooter =
    "Without VALUE, or with -, the value is read from standard input.\n"
    "\n"
    "Examples:\n"
    "  weir set last_posts '[7, 8]' --duration 5m --type application/json\n"
    "  pg_dump shop | weir set dump --backend disk\n"
    "\n"
    "Exit codes: 0; 1 when it was refused, or nobody answers; 2 for wrong usage.\n";

constexpr std::string_view kClearFooter =
    "A * in KEY stands for any bytes: every key of that pattern is cleared. Without KEY all "
    "values\n"
    "and all pages are, or, with --backend, all values there.\n"
    "\n"
    "Examples:\n"
    "  weir clear last_posts\n"
    "  weir clear 'user:7:*'\n"
    "\n"
    "Exit codes: 0; 1 when there was nothing of that key, or nobody answers; 2 for wrong usage.\n";

struct About {
  const char* name;
  const char* what;
  std::string_view footer;
};

About about(Kind kind) {
  switch (kind) {
    case Kind::Get:
      return {"get", "Prints a value of the low-level cache.", kGetFooter};
    case Kind::Set:
      return {"set", "Keeps a value in the low-level cache.", kSetFooter};
    case Kind::Clear:
      break;
  }
  return {"clear", "Forgets values of the low-level cache.", kClearFooter};
}

Command read_value(Kind kind, const Take& take, const Environment& environment) {
  const auto [name, what, footer] = about(kind);
  ValueCommand command;
  command.kind = kind;
  std::string address;
  std::optional<std::string> key, value;
  CLI::App app(what);
  app.add_option("key", key, "the value's name: any bytes")->option_text("KEY");
  if (kind == Kind::Set) {
    app.add_option("value", value, "what is kept")->option_text("VALUE");
    app.add_option("--duration", command.duration, "for how long: 30, 5m; else the backend's")
        ->option_text("D");
    app.add_option("--type", command.type, "its content type")->option_text("TYPE");
  }
  if (kind == Kind::Clear) {
    app.add_flag("--exact", command.exact, "a * in KEY is a star");
  }
  app.add_flag("--json", command.json, "say as JSON what came of it");
  app.add_option("--backend", command.backend, "which one; else the default")->option_text("NAME");
  add_admin(app, address, environment);
  app.footer(std::string(footer));
  if (auto leave = take(app)) return *leave;
  if (!key && kind != Kind::Clear) return usage_error(name, "wants a KEY");
  if (key && key->empty()) return usage_error(name, "KEY is empty");
  command.key = key.value_or("");
  if (value && *value != "-") command.value = std::move(value);
  auto target = read_target(name, address, environment);
  if (auto* const leave = std::get_if<Leave>(&target)) return std::move(*leave);
  command.admin = std::get<AdminTarget>(std::move(target));
  return command;
}

}  // namespace

Command read_get(const Take& take, const Environment& environment) {
  return read_value(Kind::Get, take, environment);
}

Command read_set(const Take& take, const Environment& environment) {
  return read_value(Kind::Set, take, environment);
}

Command read_clear(const Take& take, const Environment& environment) {
  return read_value(Kind::Clear, take, environment);
}

}  // namespace weir::conf
