// Scripts that complete the command line in bash, zsh and fish, all of the same description.
#include <fmt/format.h>

#include <functional>

#include "conf/cli_describe.h"

namespace weir::conf {
namespace {

std::string joined(const std::vector<std::string>& texts, std::string_view joint) {
  return fmt::format("{}", fmt::join(texts, joint));
}

// Within single quotes of a shell.
std::string shell_quoted(std::string_view text, std::string_view also_escape = "") {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (also_escape.find(c) != also_escape.npos) out += '\\';
    out += c;
  }
  return out + "'";
}

std::vector<std::string> names_of(const std::vector<CommandText>& commands) {
  std::vector<std::string> out;
  out.reserve(commands.size());
  for (const CommandText& command : commands) out.push_back(command.name);
  return out;
}

// ---- bash ----

// What may follow in this command: its options, and the words of its arguments.
std::string bash_words(const CommandText& command) {
  std::vector<std::string> out;
  for (const OptionText& option : command.options) {
    const std::vector<std::string> found = option.positional ? option.words() : option.names;
    out.insert(out.end(), found.begin(), found.end());
  }
  return joined(out, " ");
}

// What follows an option that takes a value; `plain` is called `command` or nothing.
void add_bash_values(const CommandText& command, std::string_view called, std::string& out) {
  for (const OptionText& option : command.options) {
    if (option.positional || option.value.empty()) continue;
    std::vector<std::string> patterns;
    patterns.reserve(option.names.size());
    for (const std::string& name : option.names) {
      patterns.push_back(fmt::format("{}:{}", called, name));
    }
    const std::string what =
        option.is_file() ? "-f" : fmt::format("-W \"{}\"", joined(option.words(), " "));
    out += fmt::format("    {}) COMPREPLY=($(compgen {} -- \"$word\")); return ;;\n",
                       joined(patterns, "|"), what);
  }
}

std::string bash_script(const std::vector<CommandText>& commands) {
  const std::string names = joined(names_of(commands), "|");
  std::string out = fmt::format(
      "# bash completion of weir, printed by `weir completion bash`.\n"
      "_weir() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}\n"
      "  local command= words= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case ${{COMP_WORDS[i]}} in {}) command=${{COMP_WORDS[i]}}; break ;; esac\n"
      "  done\n"
      "  case $command:$before in\n",
      names);
  add_bash_values(commands.front(), "", out);
  for (const CommandText& command : commands) add_bash_values(command, command.name, out);
  out += fmt::format("  esac\n  case $command in\n    '') words=\"{} {}\" ;;\n",
                     joined(names_of(commands), " "), bash_words(commands.front()));
  for (const CommandText& command : commands) {
    out += fmt::format("    {}) words=\"{}\" ;;\n", command.name, bash_words(command));
  }
  return out +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "}\n"
         "complete -F _weir weir\n";
}

// ---- zsh ----

std::string zsh_value(const OptionText& option) {
  if (option.value.empty()) return "";
  const std::vector<std::string> words = option.words();
  const std::string action = option.is_file() ? "_files"
                             : words.empty()  ? ""
                                              : fmt::format("({})", joined(words, " "));
  std::string label;
  for (const char c : option.value) label += c == ':' || c == '\'' ? ' ' : c;
  return fmt::format(":{}:{}", label, action);
}

std::string zsh_option(const OptionText& option) {
  constexpr std::string_view kEscaped = "[]:\\";
  if (option.positional) return shell_quoted("1" + zsh_value(option));
  std::string out;
  for (const std::string& name : option.names) {
    if (!out.empty()) out += " \\\n        ";
    std::string text = shell_quoted(option.text, kEscaped);
    text = text.substr(1, text.size() - 2);
    out += fmt::format("'{}[{}]{}'", name, text, zsh_value(option));
  }
  return out;
}

std::string zsh_script(const std::vector<CommandText>& commands) {
  std::string out =
      "#compdef weir\n"
      "# zsh completion of weir, printed by `weir completion zsh`.\n"
      "_weir() {\n"
      "  local -a commands\n"
      "  commands=(\n";
  for (const CommandText& command : commands) {
    out += fmt::format("    {}\n", shell_quoted(command.name + ":" + command.summary));
  }
  out +=
      "  )\n"
      "  local command=$words[2]\n"
      "  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
      "    _describe 'command' commands\n"
      "    return\n"
      "  fi\n"
      "  if [[ $command != -* ]]; then\n"
      "    shift words\n"
      "    (( CURRENT-- ))\n"
      "  fi\n"
      "  case $command in\n";
  bool first = true;
  for (const CommandText& command : commands) {
    out += fmt::format("    {}{})\n      _arguments", command.name, first ? "|-*" : "");
    for (const OptionText& option : command.options) {
      out += " \\\n        " + zsh_option(option);
    }
    out += "\n      ;;\n";
    first = false;
  }
  return out +
         "  esac\n"
         "}\n"
         "if [[ $funcstack[1] == _weir ]]; then _weir \"$@\"; else compdef _weir weir; fi\n";
}

// ---- fish ----

std::string fish_option(const OptionText& option) {
  std::string out;
  if (!option.positional) {
    for (const std::string& name : option.names) {
      const bool is_long = name.starts_with("--");
      out += is_long ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
  }
  const std::vector<std::string> words = option.words();
  if (!option.value.empty() && !option.positional) out += option.is_file() ? " -r -F" : " -x";
  if (!words.empty()) out += fmt::format(" -a {}", shell_quoted(joined(words, " ")));
  return out + " -d " + shell_quoted(option.text, "\\");
}

std::string fish_script(const std::vector<CommandText>& commands) {
  const std::string names = joined(names_of(commands), " ");
  std::string out =
      "# fish completion of weir, printed by `weir completion fish`.\n"
      "complete -c weir -f\n";
  const std::string none = fmt::format("'not __fish_seen_subcommand_from {}'", names);
  for (const CommandText& command : commands) {
    out += fmt::format("complete -c weir -n {} -a {} -d {}\n", none, command.name,
                       shell_quoted(command.summary, "\\"));
  }
  const auto add = [&](const std::string& condition, const CommandText& command) {
    for (const OptionText& option : command.options) {
      if (option.positional && option.words().empty()) continue;
      out += fmt::format("complete -c weir -n {}{}\n", condition, fish_option(option));
    }
  };
  add(none, commands.front());
  for (const CommandText& command : commands) {
    add(fmt::format("'__fish_seen_subcommand_from {}'", command.name), command);
  }
  return out;
}

}  // namespace

std::string completion_script(Shell shell, const std::vector<CommandText>& commands) {
  switch (shell) {
    case Shell::Bash:
      return bash_script(commands);
    case Shell::Zsh:
      return zsh_script(commands);
    case Shell::Fish:
      break;
  }
  return fish_script(commands);
}

}  // namespace weir::conf
