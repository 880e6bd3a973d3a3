#include "conf/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include "base/log.h"
#include "base/text.h"

namespace weir::conf {
namespace {

constexpr int kUsageError = 2;

constexpr std::string_view kOverview =
    "Weir, a caching sidecar: stands in front of an app and serves its pages from memory.\n"
    "\n"
    "Usage: weir [run] [-c FILE] [--upstream URL] [--listen ADDR] [--admin ADDR|off]\n"
    "       weir check [-c FILE] [--upstream URL] [--listen ADDR] [--admin ADDR|off]\n"
    "       weir version\n"
    "\n"
    "Commands:\n"
    "  run      the proxy; plain \"weir\" is the same\n"
    "  check    validate a configuration\n"
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

Leave usage_error(std::string_view command, std::string_view message) {
  const std::string name = command.empty() ? "weir" : fmt::format("weir {}", command);
  return {kUsageError, "", fmt::format("{}: {}\nTry \"{} --help\".\n", name, message, name)};
}

// A variable that is set and not empty.
std::optional<std::string> variable(const Environment& environment, const char* name) {
  std::optional<std::string> value = environment(name);
  return value && !value->empty() ? value : std::nullopt;
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
  if (first == "version") return parse_version(arguments);
  constexpr std::array<std::string_view, 3> kCommands = {"run", "check", "version"};
  std::string hint = file_hint(first);
  if (const auto near = nearest_name(first, kCommands); near && hint.empty()) {
    hint = fmt::format(" (did you mean \"{}\"?)", *near);
  }
  if (hint.empty()) hint = " (run, check or version)";
  return usage_error("", fmt::format("unknown command {}{}", quote(first), hint));
}

}  // namespace weir::conf
