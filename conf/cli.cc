#include "conf/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "conf/cli_parts.h"

namespace weir::conf {
namespace {

constexpr std::string_view kRunFooter =
    "Without -c: ./weir.yaml, then /etc/weir/weir.yaml, then, given --upstream, every path\n"
    "is cached for 5 s in 256 MiB of RAM. WEIR_UPSTREAM, WEIR_LISTEN and WEIR_ADMIN stand\n"
    "for the flags; flags win over them, and they win over the file.\n"
    "\n"
    "Examples:\n"
    "  weir --upstream http://127.0.0.1:3000 --listen 127.0.0.1:8080\n"
    "  weir run -c weir.yaml\n"
    "\n"
    "Exit codes: 0 after a clean drain (SIGTERM), 1 when it failed, 2 for a bad configuration.\n";

constexpr std::string_view kCheckFooter =
    "The file is found as for \"weir run\", and the flags, WEIR_UPSTREAM, WEIR_LISTEN and "
    "WEIR_ADMIN\n"
    "win over it in the same way: what is checked is what would run.\n"
    "\n"
    "Examples:\n"
    "  weir check -c weir.yaml && systemctl reload weir\n"
    "\n"
    "Exit codes: 0 when it is good, warnings or not; 2 when it is not.\n";

constexpr std::string_view kPurgeFooter =
    "URL is a whole one, https://example.com/blog/7: with all its variants, http and https.\n"
    "P and GLOB are paths, on every host unless one stands in front: /blog/,\n"
    "example.com/blog/, \"/blog/*/rss\".\n"
    "\n"
    "WEIR_ADMIN stands for --admin; the token is that of WEIR_ADMIN_TOKEN, or of the file that\n"
    "WEIR_ADMIN_TOKEN_FILE names.\n"
    "\n"
    "Examples:\n"
    "  weir purge https://example.com/blog/7\n"
    "  weir purge --match '/blog/*/rss' --soft\n"
    "\n"
    "Exit codes: 0; 1 when nobody answers or it was refused; 2 for wrong usage.\n";

constexpr std::string_view kHealthFooter =
    "WEIR_ADMIN stands for --admin. In a Dockerfile: HEALTHCHECK CMD [\"weir\", \"health\"]\n"
    "\n"
    "Examples:\n"
    "  weir health --admin 127.0.0.1:8081\n"
    "\n"
    "Exit codes: 0 when it is ready; 1 when it drains or nobody answers; 2 for wrong usage.\n";

constexpr std::string_view kTopFooter =
    "Live in a terminal, with rates over the last interval; q or Ctrl-C ends it. Without a "
    "terminal,\n"
    "or with --once, one report of what was counted since the instance started.\n"
    "\n"
    "WEIR_ADMIN stands for --admin; the token is that of WEIR_ADMIN_TOKEN, or of the file that\n"
    "WEIR_ADMIN_TOKEN_FILE names.\n"
    "\n"
    "Examples:\n"
    "  weir top\n"
    "  weir top --once --admin 127.0.0.1:8081\n"
    "\n"
    "Exit codes: 0; 1 when nobody answers or it was refused; 2 for wrong usage.\n";

constexpr std::string_view kVersionFooter =
    "Examples:\n"
    "  weir version\n"
    "\n"
    "Exit codes: 0.\n";

// ` (-c weir.yaml?)` behind what is no argument, but looks like a configuration.
std::string file_hint(std::string_view argument) {
  const bool yaml = argument.ends_with(".yaml") || argument.ends_with(".yml");
  const bool plain = std::all_of(argument.begin(), argument.end(),
                                 [](char c) { return c > ' ' && c < 0x7F && c != '"'; });
  return yaml && plain ? fmt::format(" (-c {}?)", argument) : "";
}

std::string extra_message(const CLI::App& app, const std::vector<std::string>& extra) {
  const std::string& first = extra.front();
  if (!first.starts_with("-")) {
    const CLI::Option* config = app.get_option_no_throw("--config");
    const bool wanted = config != nullptr && config->count() == 0;
    return fmt::format("unexpected argument {}{}", quote(first), wanted ? file_hint(first) : "");
  }
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string given = first.substr(0, first.find('='));
  const auto near = given.starts_with("--") ? nearest_name(given, views) : std::nullopt;
  return fmt::format("unknown option {}{}", quote(given),
                     near ? fmt::format(" (did you mean \"{}\"?)", *near) : "");
}

// The library names an option, and says in words of its own that its value is missing.
std::string mismatch_message(const CLI::App& app, std::string_view fault) {
  const std::string name(fault.substr(0, fault.find(':')));
  const CLI::Option* option = app.get_option_no_throw(name);
  if (option == nullptr) return std::string(fault);
  if (name == "--config") return "-c wants a file (-c FILE)";
  return fmt::format("{0} wants a value ({0} {1})", name, option->get_option_text());
}

// Parses `arguments`; a value means that there is nothing to run.
std::optional<Leave> parse(CLI::App& app, std::string_view command,
                           std::vector<std::string> arguments) {
  app.allow_extras();
  std::reverse(arguments.begin(), arguments.end());  // the order that the library takes
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    return Leave{0, app.help(), ""};
  } catch (const CLI::ArgumentMismatch& fault) {
    return usage_error(command, mismatch_message(app, fault.what()));
  } catch (const CLI::ParseError& fault) {
    return usage_error(command, fault.what());
  }
  std::vector<std::string> extra = app.remaining();
  std::erase(extra, "--");  // what follows it is no option, whatever it begins with
  if (!extra.empty()) return usage_error(command, extra_message(app, extra));
  return std::nullopt;
}

Command read_run(const Take& take, const Environment& environment) {
  RunCommand run;
  run.overrides = from_environment(environment);
  CLI::App app("Runs the proxy: stands in front of the app, and serves its pages from the cache.");
  add_file(app, run.file);
  add_overrides(app, run.overrides);
  app.footer(std::string(kRunFooter));
  if (auto leave = take(app)) return *leave;
  return run;
}

Command read_check(const Take& take, const Environment& environment) {
  CheckCommand check;
  check.overrides = from_environment(environment);
  CLI::App app("Validates a configuration: OK, or every error with its place.");
  add_file(app, check.file);
  add_overrides(app, check.overrides);
  app.add_flag("--json", check.json, "errors and warnings as JSON");
  app.footer(std::string(kCheckFooter));
  if (auto leave = take(app)) return *leave;
  return check;
}

Command read_version(const Take& take, const Environment& /*environment*/) {
  VersionCommand version;
  CLI::App app("Prints the version, and those of the linked libraries.");
  app.add_flag("--json", version.json, "the same as JSON");
  app.footer(std::string(kVersionFooter));
  if (auto leave = take(app)) return *leave;
  return version;
}

// ---- commands that ask a running instance ----

// The one thing that is to be purged; false: none, or several.
bool take_one(PurgeCommand& purge, const std::string& url, const std::string& prefix,
              const std::string& match, bool all) {
  const int given = int{!url.empty()} + int{!prefix.empty()} + int{!match.empty()} + int{all} +
                    int{!purge.tags.empty()};
  if (given != 1) return false;
  purge.field = all                   ? "all"
                : !purge.tags.empty() ? "tags"
                : !url.empty()        ? "url"
                : !prefix.empty()     ? "prefix"
                                      : "match";
  purge.text = url + prefix + match;
  return true;
}

Command read_purge(const Take& take, const Environment& environment) {
  PurgeCommand purge;
  std::string address, url, prefix, match;
  bool all = false;
  CLI::App app("Has a running instance forget pages.");
  app.add_option("url", url, "one URL")->option_text("URL");
  app.add_option("--prefix", prefix, "every path that begins so")->option_text("P");
  app.add_option("--match", match, "every path of this pattern")->option_text("GLOB");
  app.add_option("--tag", purge.tags, "what has this tag; may be repeated")
      ->option_text("T")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_flag("--all", all, "everything");
  app.add_flag("--soft", purge.soft, "stale instead of gone");
  app.add_flag("--json", purge.json, "print the answer as it came");
  add_admin(app, address, environment);
  app.footer(std::string(kPurgeFooter));
  if (auto leave = take(app)) return *leave;
  if (!take_one(purge, url, prefix, match, all)) {
    return usage_error("purge", "wants one of URL, --prefix, --match, --tag, --all");
  }
  auto target = read_target("purge", address, environment);
  if (auto* const leave = std::get_if<Leave>(&target)) return std::move(*leave);
  purge.admin = std::get<AdminTarget>(std::move(target));
  return purge;
}

Command read_health(const Take& take, const Environment& environment) {
  HealthCommand health;
  std::string address;
  CLI::App app("Asks a running instance whether it is ready.");
  app.add_flag("--json", health.json, "the answer as JSON");
  add_admin(app, address, environment);
  app.footer(std::string(kHealthFooter));
  if (auto leave = take(app)) return *leave;
  auto target = read_target("health", address, environment);
  if (auto* const leave = std::get_if<Leave>(&target)) return std::move(*leave);
  health.admin = std::get<AdminTarget>(std::move(target));
  return health;
}

Command read_top(const Take& take, const Environment& environment) {
  constexpr double kShortest_s = 0.1;
  constexpr double kLongest_s = 3600;
  TopCommand top;
  std::string address;
  CLI::App app("Shows what a running instance does.");
  app.add_option("--interval", top.interval_s, "seconds between two looks, 1 by default")
      ->option_text("S");
  app.add_flag("--once", top.once, "one report");
  app.add_flag("--json", top.json, "one report, as /v1/stats gives it");
  add_admin(app, address, environment);
  app.footer(std::string(kTopFooter));
  if (auto leave = take(app)) return *leave;
  if (!(top.interval_s >= kShortest_s && top.interval_s <= kLongest_s)) {
    return usage_error("top", "--interval is a number of seconds from 0.1 to 3600");
  }
  auto target = read_target("top", address, environment);
  if (auto* const leave = std::get_if<Leave>(&target)) return std::move(*leave);
  top.admin = std::get<AdminTarget>(std::move(target));
  return top;
}

constexpr std::array kCommands = {
    CliCommand{"run", "[-c FILE] [--upstream URL] [--listen ADDR] [--admin ADDR|off]",
               "the proxy; plain \"weir\" is the same", read_run},
    CliCommand{"check", "[-c FILE] [--upstream URL] [--listen ADDR] [--admin ADDR|off] [--json]",
               "validate a configuration", read_check},
    CliCommand{"explain", "[-c FILE] [-X METHOD] [-H 'Name: value']... URL [--live] [--json]",
               "why a request is cached, or is not", read_explain},
    CliCommand{"purge",
               "[--admin ADDR] (URL | --prefix P | --match GLOB | --tag T... | --all) [--soft] "
               "[--json]",
               "have a running instance forget pages", read_purge},
    CliCommand{"get", "KEY [--backend NAME] [--admin ADDR] [--json]",
               "print a value of the low-level cache", read_get},
    CliCommand{"set", "KEY [VALUE|-] [--duration D] [--backend NAME] [--admin ADDR] [--json]",
               "keep a value there", read_set},
    CliCommand{"clear", "[KEY|GLOB] [--backend NAME] [--admin ADDR] [--json]",
               "forget a value, or those of a pattern; without one all values and all pages",
               read_clear},
    CliCommand{"health", "[--admin ADDR] [--json]",
               "ask a running instance whether it is ready; for container health checks",
               read_health},
    CliCommand{"top", "[--admin ADDR] [--interval S] [--once] [--json]",
               "what a running instance does: rates, hit ratio, latencies, reasons", read_top},
    CliCommand{"version", "[--json]", "the version, and those of the linked libraries",
               read_version},
    CliCommand{"completion", "bash|zsh|fish",
               "a script that completes this command line in a shell", read_completion},
    CliCommand{"help", "[COMMAND] [--man]", "this text, that of a command, or the man page",
               read_help},
};

// Runs `command` with these arguments; `name` is what it was called by, empty for plain `weir`.
Command invoke(const CliCommand& command, std::string_view name,
               const std::vector<std::string>& arguments, const Environment& environment) {
  const Take take = [&](CLI::App& app) {
    app.name(fmt::format("weir {}", command.name));
    return parse(app, name, arguments);
  };
  return command.read(take, environment);
}

Command unknown_command(const std::string& name) {
  std::vector<std::string_view> names;
  names.reserve(std::size(kCommands));
  for (const CliCommand& command : kCommands) names.push_back(command.name);
  std::string hint = file_hint(name);
  if (const auto near = nearest_name(name, names); near && hint.empty()) {
    hint = fmt::format(" (did you mean \"{}\"?)", *near);
  }
  if (hint.empty()) {
    const std::string_view last = names.back();
    names.pop_back();
    hint = fmt::format(" ({} or {})", fmt::join(names, ", "), last);
  }
  return usage_error("", fmt::format("unknown command {}{}", quote(name), hint));
}

}  // namespace

std::span<const CliCommand> cli_commands() {
  return kCommands;
}

Command parse_command_line(int argc, const char* const* argv, const Environment& environment) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  const std::string first = arguments.empty() ? "" : arguments.front();
  if (first == "--help" || first == "-h") return Leave{0, overview(), ""};
  if (first == "--version") return VersionCommand{};
  if (first.empty() && arguments.size() == 1) return usage_error("", "unknown command \"\"");
  if (first.empty() || first.starts_with("-")) {
    return invoke(kCommands.front(), "", arguments, environment);
  }
  const auto* const found = std::ranges::find(kCommands, first, &CliCommand::name);
  if (found == kCommands.end()) return unknown_command(first);
  arguments.erase(arguments.begin());
  return invoke(*found, first, arguments, environment);
}

}  // namespace weir::conf
