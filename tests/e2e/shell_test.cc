// What the program prints for shells and for man, read by those who read it.
#include <unistd.h>

#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

using testing::HasSubstr;
using testing::Not;

Outcome run_program(std::vector<std::string> arguments) {
  Command command;
  command.arguments = std::move(arguments);
  ChildProcess process(command);
  Outcome outcome;
  outcome.exit_code = process.wait();
  process.out().await_end();
  process.err().await_end();
  outcome.out = process.out().text();
  outcome.err = process.err().text();
  return outcome;
}

class Shell : public testing::Test {
 protected:
  // What bash proposes behind these words, the last of which is being written.
  std::string proposed(const std::string& words) {
    const std::string script = folder_.write("weir.bash", run_weir({"completion", "bash"}).out);
    const Outcome outcome = run_program(
        {"/bin/bash", "-c",
         "source " + script + "; COMP_WORDS=(" + words +
             "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _weir; echo \" ${COMPREPLY[*]} \""});
    EXPECT_EQ(outcome.err, "");
    return outcome.out;
  }
  TempDir folder_;
};

TEST_F(Shell, BashCompletesCommandsOptionsAndWords) {
  EXPECT_EQ(proposed("weir expl"), " explain \n");
  EXPECT_THAT(proposed("weir ''"), HasSubstr(" purge "));
  EXPECT_THAT(proposed("weir --"), HasSubstr(" --upstream "));
  EXPECT_EQ(proposed("weir explain --l"), " --live \n");
  EXPECT_THAT(proposed("weir purge --"), Not(HasSubstr("--live")));
  EXPECT_EQ(proposed("weir run --admin ''"), " off \n");
  EXPECT_EQ(proposed("weir completion z"), " zsh \n");
  const std::string file = folder_.write("shop.yaml", "");
  EXPECT_EQ(proposed("weir check -c " + folder_.path() + "/shop"), " " + file + " \n");
}

TEST_F(Shell, TheManPageHasNoFaultOfTroff) {
  constexpr const char* kGroff = "/usr/bin/groff";
  if (access(kGroff, X_OK) != 0) GTEST_SKIP() << "there is no groff";
  const std::string page = folder_.write("weir.1", run_weir({"help", "--man"}).out);
  const Outcome outcome = run_program({kGroff, "-man", "-ww", "-Tutf8", page});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, HasSubstr("explain"));
}

}  // namespace
}  // namespace weir::test
