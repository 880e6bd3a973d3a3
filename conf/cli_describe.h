// The command line described: every command with its options, read out of what the commands
// themselves declare. Help, shell completion and the man page are made of it, so that none of them
// has a list of its own. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::conf {

struct OptionText {
  std::vector<std::string> names;  // "-c", "--config"; of an argument without a dash: its name
  bool positional = false;
  std::string value;  // what it takes, in words: "FILE", "ADDR|off"; empty for a flag
  std::string text;

  // What may stand there as it is: the parts of `value` in lower case, such as "off".
  std::vector<std::string> words() const;
  bool is_file() const { return value == "FILE"; }
};

struct CommandText {
  std::string name;
  std::string arguments;  // "[-c FILE] …"
  std::string summary;    // a few words
  std::string about;      // a sentence
  std::string footer;     // more, examples, exit codes
  std::vector<OptionText> options;
};

std::vector<CommandText> describe_commands();

enum class Shell : std::uint8_t { Bash, Zsh, Fish };
std::string completion_script(Shell shell, const std::vector<CommandText>& commands);

// In troff's man macros.
std::string man_page(const std::vector<CommandText>& commands);

}  // namespace weir::conf
