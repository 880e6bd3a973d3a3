#include "conf/cli_describe.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace weir::conf {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(CliDescribe, EveryCommandIsWorthReading) {
  // A sentence, an example, the exit codes; every option says what it is, and what it takes.
  const std::vector<CommandText> commands = describe_commands();
  ASSERT_GE(commands.size(), 8U);
  for (const CommandText& command : commands) {
    EXPECT_TRUE(command.about.ends_with('.')) << command.name;
    EXPECT_FALSE(command.summary.empty()) << command.name;
    EXPECT_TRUE(holds(command.footer, "Examples:\n  weir ")) << command.name;
    EXPECT_TRUE(holds(command.footer, "Exit codes: ")) << command.name;
    for (const OptionText& option : command.options) {
      EXPECT_FALSE(option.text.empty()) << command.name << " " << option.names.front();
    }
  }
}

TEST(CliDescribe, WordsAreWhatMayStandThereAsItIs) {
  const auto words = [](const char* value) {
    OptionText option;
    option.value = value;
    return option.words();
  };
  EXPECT_EQ(words("ADDR|off"), (std::vector<std::string>{"off"}));
  EXPECT_EQ(words("bash|zsh|fish"), (std::vector<std::string>{"bash", "zsh", "fish"}));
  EXPECT_EQ(words("FILE"), (std::vector<std::string>{}));
  EXPECT_EQ(words("'Name: value'"), (std::vector<std::string>{}));
}

// How a long option is spelt in a script.
std::string spelling(Shell shell, const std::string& name) {
  return shell == Shell::Fish ? "-l " + name.substr(2) : name;
}

TEST(CliDescribe, EveryShellCompletesEveryCommandAndOption) {
  const std::vector<CommandText> commands = describe_commands();
  for (const Shell shell : {Shell::Bash, Shell::Zsh, Shell::Fish}) {
    const std::string script = completion_script(shell, commands);
    for (const CommandText& command : commands) {
      EXPECT_TRUE(holds(script, command.name)) << command.name;
      for (const OptionText& option : command.options) {
        for (const std::string& name : option.names) {
          if (!name.starts_with("--")) continue;
          EXPECT_TRUE(holds(script, spelling(shell, name))) << command.name << " " << name;
        }
        for (const std::string& word : option.words()) {
          EXPECT_TRUE(holds(script, word)) << command.name << " " << word;
        }
      }
    }
  }
}

std::string troff(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '-' ? "\\-" : std::string(1, c);
  return out;
}

TEST(CliDescribe, TheManPageHasEveryCommandAndOption) {
  const std::vector<CommandText> commands = describe_commands();
  const std::string page = man_page(commands);
  for (const CommandText& command : commands) {
    const std::size_t at = page.find(".SS \"weir " + command.name + "\"");
    ASSERT_NE(at, std::string::npos) << command.name;
    const std::string section = page.substr(at, page.find("\n.S", at + 1) - at);
    for (const OptionText& option : command.options) {
      for (const std::string& name : option.names) {
        if (option.positional) continue;
        EXPECT_TRUE(holds(section, troff(name))) << name;
      }
    }
  }
}

TEST(CliDescribe, TheManPageInTheTreeIsThatOfTheProgram) {
  // `build/weir help --man > docs/weir.1` after a change of a command.
  std::ifstream file(WEIR_SOURCE_FOLDER "/docs/weir.1", std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  EXPECT_TRUE(page == man_page(describe_commands()))
      << "docs/weir.1 is out of date: build/weir help --man > docs/weir.1";
}

}  // namespace
}  // namespace weir::conf
