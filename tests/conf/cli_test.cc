#include "conf/cli.h"

#include <gtest/gtest.h>

#include "tests/conf/load_support.h"

namespace weir::conf {
namespace {

Command parse(std::vector<const char*> arguments, const Variables& variables = {}) {
  arguments.insert(arguments.begin(), "weir");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data(),
                            environment_of(variables));
}

TEST(Cli, RunIsTheDefault) {
  // Plain `weir` and `weir run` take the same flags.
  for (const bool named : {false, true}) {
    std::vector<const char*> arguments = {"-c",       "f.yaml",     "--upstream", "http://a",
                                          "--listen", "1.2.3.4:80", "--admin",    "off"};
    if (named) arguments.insert(arguments.begin(), "run");
    const Command command = parse(arguments);
    const auto* run = std::get_if<RunCommand>(&command);
    ASSERT_TRUE(run);
    EXPECT_EQ(run->file, "f.yaml");
    EXPECT_EQ(run->overrides.upstream, "http://a");
    EXPECT_EQ(run->overrides.listen, "1.2.3.4:80");
    EXPECT_EQ(run->overrides.admin, "off");
  }
  const Command command = parse({});
  const auto* run = std::get_if<RunCommand>(&command);
  ASSERT_TRUE(run);
  EXPECT_FALSE(run->file);
  EXPECT_FALSE(run->overrides.upstream);
}

TEST(Cli, FlagsWinOverVariables) {
  // WEIR_* variables stand for the flags that are not given; empty ones for none.
  const Variables variables = {
      {"WEIR_UPSTREAM", "http://v"}, {"WEIR_LISTEN", "1.1.1.1:1"}, {"WEIR_ADMIN", ""}};
  const Command command = parse({"--upstream=http://f"}, variables);
  const auto* run = std::get_if<RunCommand>(&command);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->overrides.upstream, "http://f");
  EXPECT_EQ(run->overrides.listen, "1.1.1.1:1");
  EXPECT_FALSE(run->overrides.admin);
}

TEST(Cli, CheckAndVersion) {
  // The other commands and their arguments.
  const Command command = parse({"check", "--config", "f"}, {{"WEIR_UPSTREAM", "http://v"}});
  const auto* check = std::get_if<CheckCommand>(&command);
  ASSERT_TRUE(check);
  EXPECT_EQ(check->file, "f");
  EXPECT_EQ(check->overrides.upstream, "http://v");
  EXPECT_FALSE(check->overrides.listen);
  EXPECT_TRUE(std::holds_alternative<VersionCommand>(parse({"version"})));
  EXPECT_TRUE(std::holds_alternative<VersionCommand>(parse({"--version"})));
}

TEST(Cli, CheckNeedsNoFileEither) {
  // What is looked for without -c is the same as for `run`.
  const Command command = parse({"check"});
  const auto* check = std::get_if<CheckCommand>(&command);
  ASSERT_TRUE(check);
  EXPECT_FALSE(check->file);
}

TEST(Cli, CheckTakesTheFlagsOfRun) {
  // What an error of the file proposes, such as --upstream, can be tried at once.
  const Command command =
      parse({"check", "-c", "f", "--upstream", "http://f", "--listen", "1.2.3.4:80", "--admin=off"},
            {{"WEIR_UPSTREAM", "http://v"}});
  const auto* check = std::get_if<CheckCommand>(&command);
  ASSERT_TRUE(check);
  EXPECT_EQ(check->overrides.upstream, "http://f");
  EXPECT_EQ(check->overrides.listen, "1.2.3.4:80");
  EXPECT_EQ(check->overrides.admin, "off");
}

TEST(Cli, TopLooksOnceASecondUnlessToldOtherwise) {
  const Command plain = parse({"top"});
  const auto* top = std::get_if<TopCommand>(&plain);
  ASSERT_TRUE(top);
  EXPECT_EQ(top->admin.address.text, "127.0.0.1:8081");
  EXPECT_EQ(top->interval_s, 1);
  EXPECT_FALSE(top->once || top->json);
  const Command told = parse({"top", "--once", "--json", "--interval", "0.5"},
                             {{"WEIR_ADMIN", "127.0.0.1:99"}, {"WEIR_ADMIN_TOKEN", "secret"}});
  top = std::get_if<TopCommand>(&told);
  ASSERT_TRUE(top);
  EXPECT_EQ(top->admin.address.text, "127.0.0.1:99");
  EXPECT_EQ(top->admin.token, "secret");
  EXPECT_EQ(top->interval_s, 0.5);
  EXPECT_TRUE(top->once && top->json);
}

TEST(Cli, ExplainTakesARequest) {
  const Command command = parse({"explain", "-c", "f", "-X", "HEAD", "-H", "A: 1", "--header",
                                 "Cookie:  a=b ", "/blog", "--json"},
                                {{"WEIR_ADMIN", "nonsense"}});
  const auto* explain = std::get_if<ExplainCommand>(&command);
  ASSERT_TRUE(explain);
  EXPECT_EQ(explain->file, "f");
  EXPECT_EQ(explain->url, "/blog");
  EXPECT_EQ(explain->method, "HEAD");
  using Headers = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(explain->headers, (Headers{{"A", "1"}, {"Cookie", "a=b"}}));
  EXPECT_TRUE(explain->json);
  EXPECT_FALSE(explain->live);
  EXPECT_FALSE(explain->overrides.needs_upstream);
}

TEST(Cli, WrongUsageExitsWithTwo) {
  // One line that says what is wrong and one that says where help is, on stderr.
  const struct {
    std::vector<const char*> arguments;
    const char* err;
  } rows[] = {
      {{"chekc"},
       "weir: unknown command \"chekc\" (did you mean \"check\"?)\nTry \"weir --help\".\n"},
      {{"help", "--man", "check"},
       "weir help: wants a command or --man, not both\nTry \"weir help --help\".\n"},
      {{"help", "chekc"},
       "weir: unknown command \"chekc\" (did you mean \"check\"?)\nTry \"weir --help\".\n"},
      {{"frobnicate"},
       "weir: unknown command \"frobnicate\" (run, check, explain, purge, get, set, clear, health, "
       "top, version, completion or help)\nTry \"weir --help\".\n"},
      {{""}, "weir: unknown command \"\"\nTry \"weir --help\".\n"},
      {{"check", "-c", "f", "g"},
       "weir check: unexpected argument \"g\"\nTry \"weir check --help\".\n"},
      {{"run", "--upsteam", "x"},
       "weir run: unknown option \"--upsteam\" (did you mean \"--upstream\"?)\nTry \"weir run "
       "--help\".\n"},
      {{"--upsteam=x"},
       "weir: unknown option \"--upsteam\" (did you mean \"--upstream\"?)\nTry \"weir --help\".\n"},
      {{"version", "-x"}, "weir version: unknown option \"-x\"\nTry \"weir version --help\".\n"},
      {{"run", "-c"}, "weir run: -c wants a file (-c FILE)\nTry \"weir run --help\".\n"},
      {{"check", "-c"}, "weir check: -c wants a file (-c FILE)\nTry \"weir check --help\".\n"},
      {{"--listen"}, "weir: --listen wants a value (--listen ADDR)\nTry \"weir --help\".\n"},
      {{"check", "weir.yaml"},
       "weir check: unexpected argument \"weir.yaml\" (-c weir.yaml?)\nTry \"weir check "
       "--help\".\n"},
      {{"run", "-c", "a.yaml", "b.yaml"},
       "weir run: unexpected argument \"b.yaml\"\nTry \"weir run --help\".\n"},
      {{"weir.yml"}, "weir: unknown command \"weir.yml\" (-c weir.yml?)\nTry \"weir --help\".\n"},
      {{"top", "--interval", "0"},
       "weir top: --interval is a number of seconds from 0.1 to 3600\nTry \"weir top --help\".\n"},
      {{"check", "--upsteam", "x"},
       "weir check: unknown option \"--upsteam\" (did you mean \"--upstream\"?)\nTry \"weir check "
       "--help\".\n"},
  };
  for (const auto& row : rows) {
    const Command command = parse(row.arguments);
    const auto* leave = std::get_if<Leave>(&command);
    ASSERT_TRUE(leave) << row.err;
    EXPECT_EQ(leave->exit_code, 2);
    EXPECT_EQ(leave->err, row.err);
    EXPECT_EQ(leave->out, "");
  }
}

TEST(Cli, HelpGoesToStdoutAndSucceeds) {
  // Every command explains itself.
  const struct {
    std::vector<const char*> arguments;
    const char* holds;
  } rows[] = {{{"--help"}, "Commands:"},
              {{"-h"}, "weir check [-c FILE]"},
              {{"run", "--help"}, "--upstream URL"},
              {{"-c", "f", "--help"}, "--admin ADDR|off"},
              {{"check", "-h"}, "--config FILE"},
              {{"check", "-h"}, "--upstream URL"},
              {{"check", "-h"}, "is found as for \"weir run\""},
              {{"top", "--help"}, "--interval S"},
              {{"explain", "--help"}, "--header 'Name: value'"},
              {{"completion", "--help"}, "bash|zsh|fish"},
              {{"help"}, "Commands:"},
              {{"help", "explain"}, "--header 'Name: value'"},
              {{"help", "help"}, "weir help"},
              {{"version", "--help"}, "weir version"}};
  for (const auto& row : rows) {
    const Command command = parse(row.arguments);
    const auto* leave = std::get_if<Leave>(&command);
    ASSERT_TRUE(leave) << row.holds;
    EXPECT_EQ(leave->exit_code, 0);
    EXPECT_NE(leave->out.find(row.holds), std::string::npos) << leave->out;
    EXPECT_EQ(leave->err, "");
  }
}

}  // namespace
}  // namespace weir::conf
