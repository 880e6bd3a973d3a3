#include "conf/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "conf/addresses.h"
#include "conf/environment.h"

namespace weir::conf {
namespace {

constexpr int kUsageError = 2;

constexpr std::string_view kOverview =
    "Weir, a caching sidecar: stands in front of an app and serves its pages from memory.\n"
    "\n"
    "Usage: weir [run] [-c FILE] [--upstream URL] [--listen ADDR] [--admin ADDR|off]\n"
    "       weir check [-c FILE] [--upstream URL] [--listen ADDR] [--admin ADDR|off]\n"
    "       weir purge [--admin ADDR] (URL | --prefix P | --match GLOB | --tag T... | --all) "
    "[--soft]\n"
    "       weir get KEY, weir set KEY [VALUE|-] [--duration D], weir clear [KEY|GLOB]\n"
    "       weir health [--admin ADDR]\n"
    "       weir top [--admin ADDR] [--interval S] [--once] [--json]\n"
    "       weir version\n"
    "\n"
    "Commands:\n"
    "  run      the proxy; plain \"weir\" is the same\n"
    "  check    validate a configuration\n"
    "  purge    have a running instance forget pages\n"
    "  get      print a value of the low-level cache\n"
    "  set      keep a value there\n"
    "  clear    forget a value, or those of a pattern; without one all values and all pages\n"
    "  health   ask a running instance whether it is ready; for container health checks\n"
    "  top      what a running instance does: rates, hit ratio, latencies, reasons\n"
    "  version  the version, and those of the linked libraries\n"
    "\n"
    "\"weir COMMAND --help\" tells more of a command.\n";

constexpr std::string_view kRunFooter =
    "Without -c: ./weir.yaml, then /etc/weir/weir.yaml, then, given --upstream, every path\n"
    "is cached for 5 s in 256 MiB of RAM. WEIR_UPSTREAM, WEIR_LISTEN and WEIR_ADMIN stand\n"
    "for the flags; flags win over them, and they win over the file.\n";

constexpr std::string_view kCheckFooter =
    "The file is found as for \"weir run\", and the flags, WEIR_UPSTREAM, WEIR_LISTEN and "
    "WEIR_ADMIN\n"
    "win over it in the same way: what is checked is what would run.\n";

constexpr std::string_view kPurgeFooter =
    "URL is a whole one, https://example.com/blog/7: with all its variants, http and https.\n"
    "P and GLOB are paths, on every host unless one stands in front: /blog/,\n"
    "example.com/blog/, \"/blog/*/rss\".\n"
    "\n"
    "WEIR_ADMIN stands for --admin; the token is that of WEIR_ADMIN_TOKEN, or of the file that\n"
    "WEIR_ADMIN_TOKEN_FILE names. Exit 0, or 1 when nobody answers or it was refused.\n";

constexpr std::string_view kGetFooter =
    "The value's bytes go to standard output. Exit 1 when it is not there.\n"
    "\n"
    "  weir get last_posts\n";

constexpr std::string_view kSetFooter =
    "Without VALUE, or with -, the value is read from standard input.\n"
    "\n"
    "  weir set last_posts '[7, 8]' --duration 5m --type application/json\n"
    "  pg_dump shop | weir set dump --backend disk\n";

constexpr std::string_view kClearFooter =
    "A * in KEY stands for any bytes: every key of that pattern is cleared. Without KEY all "
    "values\n"
    "and all pages are. Exit 1 when there was nothing of that key, or pattern.\n"
    "\n"
    "  weir clear last_posts\n"
    "  weir clear 'user:7:*'\n";

constexpr std::string_view kHealthFooter =
    "Exit 0 when it is ready, 1 when it drains or nobody answers. WEIR_ADMIN stands for --admin.\n";

constexpr std::string_view kTopFooter =
    "Live in a terminal, with rates over the last interval; q or Ctrl-C ends it. Without a "
    "terminal,\n"
    "or with --once, one report of what was counted since the instance started.\n"
    "\n"
    "WEIR_ADMIN stands for --admin; the token is that of WEIR_ADMIN_TOKEN, or of the file that\n"
    "WEIR_ADMIN_TOKEN_FILE names. Exit 0, or 1 when nobody answers or it was refused.\n";

Leave usage_error(std::string_view command, std::string_view message) {
  const std::string name = command.empty() ? "weir" : fmt::format("weir {}", command);
  return {kUsageError, "", fmt::format("{}: {}\nTry \"{} --help\".\n", name, message, name)};
}

Overrides from_environment(const Environment& environment) {
  return {variable(environment, "WEIR_UPSTREAM"), variable(environment, "WEIR_LISTEN"),
          variable(environment, "WEIR_ADMIN")};
}

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
  const std::vector<std::string> extra = app.remaining();
  if (!extra.empty()) return usage_error(command, extra_message(app, extra));
  return std::nullopt;
}

void add_overrides(CLI::App& app, Overrides& overrides) {
  app.add_option("--upstream", overrides.upstream, "where the app is")->option_text("URL");
  app.add_option("--listen", overrides.listen, "where clients connect")->option_text("ADDR");
  app.add_option("--admin", overrides.admin, "the admin address")->option_text("ADDR|off");
}

Command parse_run(std::string_view command, const std::vector<std::string>& arguments,
                  const Environment& environment) {
  RunCommand run;
  run.overrides = from_environment(environment);
  CLI::App app("Runs the proxy.", "weir run");
  app.add_option("-c,--config", run.file, "the configuration")->option_text("FILE");
  add_overrides(app, run.overrides);
  app.footer(std::string(kRunFooter));
  if (auto leave = parse(app, command, arguments)) return *leave;
  return run;
}

Command parse_check(const std::vector<std::string>& arguments, const Environment& environment) {
  CheckCommand check;
  check.overrides = from_environment(environment);
  CLI::App app("Validates a configuration: OK, or every error with its place.", "weir check");
  app.add_option("-c,--config", check.file, "the configuration")->option_text("FILE");
  add_overrides(app, check.overrides);
  app.footer(std::string(kCheckFooter));
  if (auto leave = parse(app, "check", arguments)) return *leave;
  return check;
}

Command parse_version(const std::vector<std::string>& arguments) {
  CLI::App app("Prints the version, and those of the linked libraries.", "weir version");
  if (auto leave = parse(app, "version", arguments)) return *leave;
  return VersionCommand{};
}

// ---- commands that ask a running instance ----

void add_admin(CLI::App& app, std::string& address, const Environment& environment) {
  address = variable(environment, "WEIR_ADMIN").value_or(kDefaultAdmin);
  app.add_option("--admin", address, "the instance's admin address")->option_text("ADDR");
}

std::variant<AdminTarget, Leave> read_target(std::string_view command, const std::string& address,
                                             const Environment& environment) {
  AdminTarget target;
  Result<ListenAddress> parsed = parse_listen_address(address, Audience::Admin);
  if (!parsed) return usage_error(command, "--admin: " + parsed.error().message);
  target.address = std::move(*parsed);
  const std::optional<Secret> token = secret(environment, kAdminToken);
  if (token && !token->text) {
    return usage_error(command, token->from + ": " + token->path + " cannot be read");
  }
  if (token) target.token = *token->text;
  return target;
}

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

Command parse_purge(const std::vector<std::string>& arguments, const Environment& environment) {
  PurgeCommand purge;
  std::string address, url, prefix, match;
  bool all = false;
  CLI::App app("Has a running instance forget pages.", "weir purge");
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
  if (auto leave = parse(app, "purge", arguments)) return *leave;
  if (!take_one(purge, url, prefix, match, all)) {
    return usage_error("purge", "wants one of URL, --prefix, --match, --tag, --all");
  }
  auto target = read_target("purge", address, environment);
  if (auto* const leave = std::get_if<Leave>(&target)) return std::move(*leave);
  purge.admin = std::get<AdminTarget>(std::move(target));
  return purge;
}

Command parse_value(ValueCommand::Kind kind, const std::vector<std::string>& arguments,
                    const Environment& environment) {
  using Kind = ValueCommand::Kind;
  const std::string name = kind == Kind::Get ? "get" : kind == Kind::Set ? "set" : "clear";
  const std::string about = kind == Kind::Get   ? "Prints a value of the low-level cache."
                            : kind == Kind::Set ? "Keeps a value in the low-level cache."
                                                : "Forgets values of the low-level cache.";
  ValueCommand command;
  command.kind = kind;
  std::string address;
  std::optional<std::string> key, value;
  CLI::App app(about, "weir " + name);
  app.add_option("key", key, "the value's name: any bytes")->option_text("KEY");
  if (kind == Kind::Set) {
    app.add_option("value", value, "what is kept")->option_text("VALUE");
    app.add_option("--duration", command.duration, "for how long: 30, 5m; else the backend's")
        ->option_text("D");
    app.add_option("--type", command.type, "its content type")->option_text("TYPE");
  }
  if (kind == Kind::Clear) {
    app.add_flag("--exact", command.exact, "a * in KEY is a star");
    app.add_flag("--json", command.json, "print the answer as it came");
  }
  app.add_option("--backend", command.backend, "which one; else the default")->option_text("NAME");
  add_admin(app, address, environment);
  app.footer(std::string(kind == Kind::Get   ? kGetFooter
                         : kind == Kind::Set ? kSetFooter
                                             : kClearFooter));
  if (auto leave = parse(app, name, arguments)) return *leave;
  if (!key && kind != Kind::Clear) return usage_error(name, "wants a KEY");
  if (key && key->empty()) return usage_error(name, "KEY is empty");
  command.key = key.value_or("");
  if (value && *value != "-") command.value = std::move(value);
  auto target = read_target(name, address, environment);
  if (auto* const leave = std::get_if<Leave>(&target)) return std::move(*leave);
  command.admin = std::get<AdminTarget>(std::move(target));
  return command;
}

Command parse_health(const std::vector<std::string>& arguments, const Environment& environment) {
  std::string address;
  CLI::App app("Asks a running instance whether it is ready.", "weir health");
  add_admin(app, address, environment);
  app.footer(std::string(kHealthFooter));
  if (auto leave = parse(app, "health", arguments)) return *leave;
  auto target = read_target("health", address, environment);
  if (auto* const leave = std::get_if<Leave>(&target)) return std::move(*leave);
  return HealthCommand{std::get<AdminTarget>(std::move(target))};
}

Command parse_top(const std::vector<std::string>& arguments, const Environment& environment) {
  constexpr double kShortest_s = 0.1;
  constexpr double kLongest_s = 3600;
  TopCommand top;
  std::string address;
  CLI::App app("Shows what a running instance does.", "weir top");
  app.add_option("--interval", top.interval_s, "seconds between two looks, 1 by default")
      ->option_text("S");
  app.add_flag("--once", top.once, "one report");
  app.add_flag("--json", top.json, "one report, as /v1/stats gives it");
  add_admin(app, address, environment);
  app.footer(std::string(kTopFooter));
  if (auto leave = parse(app, "top", arguments)) return *leave;
  if (!(top.interval_s >= kShortest_s && top.interval_s <= kLongest_s)) {
    return usage_error("top", "--interval is a number of seconds from 0.1 to 3600");
  }
  auto target = read_target("top", address, environment);
  if (auto* const leave = std::get_if<Leave>(&target)) return std::move(*leave);
  top.admin = std::get<AdminTarget>(std::move(target));
  return top;
}

}  // namespace

Command parse_command_line(int argc, const char* const* argv, const Environment& environment) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  const std::string first = arguments.empty() ? "" : arguments.front();
  if (first == "--help" || first == "-h" || first == "help") {
    return Leave{0, std::string(kOverview), ""};
  }
  if (first == "--version") return VersionCommand{};
  if (first.empty() && arguments.size() == 1) return usage_error("", "unknown command \"\"");
  if (first.empty() || first.starts_with("-")) return parse_run("", arguments, environment);
  arguments.erase(arguments.begin());
  if (first == "run") return parse_run("run", arguments, environment);
  if (first == "check") return parse_check(arguments, environment);
  if (first == "purge") return parse_purge(arguments, environment);
  if (first == "get") return parse_value(ValueCommand::Kind::Get, arguments, environment);
  if (first == "set") return parse_value(ValueCommand::Kind::Set, arguments, environment);
  if (first == "clear") return parse_value(ValueCommand::Kind::Clear, arguments, environment);
  if (first == "health") return parse_health(arguments, environment);
  if (first == "top") return parse_top(arguments, environment);
  if (first == "version") return parse_version(arguments);
  constexpr std::array<std::string_view, 9> kCommands = {
      "run", "check", "purge", "get", "set", "clear", "health", "top", "version"};
  std::string hint = file_hint(first);
  if (const auto near = nearest_name(first, kCommands); near && hint.empty()) {
    hint = fmt::format(" (did you mean \"{}\"?)", *near);
  }
  if (hint.empty()) hint = " (run, check, purge, get, set, clear, health, top or version)";
  return usage_error("", fmt::format("unknown command {}{}", quote(first), hint));
}

}  // namespace weir::conf
