#include "conf/cli_describe.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "conf/cli_parts.h"

namespace weir::conf {
namespace {

OptionText describe_option(const CLI::Option& option) {
  OptionText out;
  out.positional = option.nonpositional() == false;
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  if (out.positional) out.names = {option.get_name()};
  if (option.get_items_expected_max() > 0) out.value = option.get_option_text();
  out.text = option.get_description();
  return out;
}

CommandText describe(const CliCommand& command) {
  CommandText out;
  out.name = command.name;
  out.arguments = command.arguments;
  out.summary = command.summary;
  const Take take = [&](const CLI::App& app) -> std::optional<Leave> {
    out.about = app.get_description();
    out.footer = app.get_footer();
    for (const CLI::Option* option : app.get_options()) {
      out.options.push_back(describe_option(*option));
    }
    return Leave{};
  };
  command.read(take, [](const std::string&) { return std::optional<std::string>(); });
  return out;
}

constexpr std::array<std::string_view, 3> kShells = {"bash", "zsh", "fish"};

constexpr std::string_view kCompletionFooter =
    "Examples:\n"
    "  weir completion bash > /usr/share/bash-completion/completions/weir\n"
    "  weir completion zsh > /usr/local/share/zsh/site-functions/_weir\n"
    "  weir completion fish > ~/.config/fish/completions/weir.fish\n"
    "\n"
    "Exit codes: 0; 2 for a shell that is none of these.\n";

constexpr std::string_view kHelpFooter =
    "Examples:\n"
    "  weir help explain\n"
    "  weir help --man | man -l -\n"
    "\n"
    "Exit codes: 0.\n";

}  // namespace

std::vector<std::string> OptionText::words() const {
  std::vector<std::string> out;
  std::string_view rest = value;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('|'), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const bool literal =
        !word.empty() && std::ranges::all_of(word, [](char c) { return c >= 'a' && c <= 'z'; });
    if (literal) out.emplace_back(word);
  }
  return out;
}

std::vector<CommandText> describe_commands() {
  std::vector<CommandText> out;
  for (const CliCommand& command : cli_commands()) out.push_back(describe(command));
  return out;
}

std::string overview() {
  std::string out =
      "Weir, a caching sidecar: stands in front of an app and serves its pages from memory.\n\n";
  std::size_t width = 0;
  for (const CliCommand& command : cli_commands()) width = std::max(width, command.name.size());
  std::string_view label = "Usage:";
  for (const CliCommand& command : cli_commands()) {
    const bool is_default = label == "Usage:";
    out += fmt::format("{:6} weir {}{}{}\n", label,
                       is_default ? fmt::format("[{}]", command.name) : std::string(command.name),
                       command.arguments.empty() ? "" : " ", command.arguments);
    label = "";
  }
  out += "\nCommands:\n";
  for (const CliCommand& command : cli_commands()) {
    out += fmt::format("  {:<{}}  {}\n", command.name, width, command.summary);
  }
  return out + "\n\"weir COMMAND --help\" tells more of a command.\n";
}

Command read_completion(const Take& take, const Environment& /*environment*/) {
  std::string shell;
  CLI::App app("Prints a script that completes weir's commands and options in a shell.");
  app.add_option("shell", shell, "which shell's")->option_text("bash|zsh|fish");
  app.footer(std::string(kCompletionFooter));
  if (auto leave = take(app)) return *leave;
  const auto* const found = std::ranges::find(kShells, shell);
  if (found == kShells.end()) {
    return usage_error("completion", "wants a shell: bash, zsh or fish");
  }
  const auto which = static_cast<Shell>(found - kShells.begin());
  return Leave{0, completion_script(which, describe_commands()), ""};
}

Command read_help(const Take& take, const Environment& environment) {
  bool man = false;
  std::string name;
  CLI::App app("Lists the commands, or tells of one.");
  app.add_flag("--man", man, "print the man page, in troff's man macros");
  app.add_option("command", name, "as \"weir COMMAND --help\"")->option_text("COMMAND");
  app.footer(std::string(kHelpFooter));
  if (auto leave = take(app)) return *leave;
  if (man && !name.empty()) return usage_error("help", "wants a command or --man, not both");
  if (!name.empty()) {
    const std::array words = {"weir", name.c_str(), "--help"};
    return parse_command_line(words.size(), words.data(), environment);
  }
  return Leave{0, man ? man_page(describe_commands()) : overview(), ""};
}

}  // namespace weir::conf
