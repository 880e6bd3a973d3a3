#include "tests/support/weir_process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>

namespace weir::test {
namespace {

// What the log says behind this, in each line that has it.
std::vector<std::string> said_behind(std::string_view text, Capture& log) {
  std::vector<std::string> found;
  for (const std::string& line : log.lines())
    if (const auto at = line.find(text); at != std::string::npos)
      found.push_back(line.substr(at + text.size()));
  return found;
}

std::uint16_t port_of(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

}  // namespace

std::string weir_binary() {
  const char* other = std::getenv("WEIR_TEST_BINARY");
  return other != nullptr ? other : WEIR_BINARY;
}

bool is_sanitized() {
  return std::getenv("WEIR_TEST_SANITIZED") != nullptr;
}

WeirProcess::WeirProcess(const Launch& launch) : process_(command_for(launch)) {
  await_listening(launch.listeners);
}

WeirProcess::~WeirProcess() {
  if (stopped_) return;
  try {
    EXPECT_EQ(stop(), 0) << log_text();
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what() << "\n" << log_text();
  }
}

Command WeirProcess::command_for(const Launch& launch) const {
  Command command;
  command.arguments = {weir_binary(), "run"};
  if (!launch.yaml.empty()) {
    command.arguments.push_back("-c");
    command.arguments.push_back(folder_.write("weir.yaml", launch.yaml));
  }
  command.arguments.insert(command.arguments.end(), launch.arguments.begin(),
                           launch.arguments.end());
  command.environment = launch.environment;
  command.folder = launch.yaml.empty() ? folder_.path() : "";
  command.max_fds = launch.max_fds;
  command.read_stdout = launch.read_stdout;
  return command;
}

void WeirProcess::await_listening(std::size_t listeners) {
  const bool listening = eventually([&] {
    addresses_ = said_behind(" listening on ", process_.err());
    return addresses_.size() >= listeners || !process_.running();
  });
  const std::vector<std::string> admin = said_behind(" admin address: ", process_.err());
  if (!admin.empty()) admin_ = admin.front();
  start_time_ = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - started_);
  if (listening && addresses_.size() >= listeners) return;
  stopped_ = !process_.running();
  throw std::runtime_error("weir does not listen:\n" + log_text());
}

std::vector<std::string> WeirProcess::log_behind(std::string_view text) {
  return said_behind(text, process_.err());
}

std::uint16_t WeirProcess::port(std::size_t index) const {
  return port_of(addresses_.at(index));
}

std::uint16_t WeirProcess::admin_port() const {
  return port_of(admin_);
}

int WeirProcess::stop() {
  process_.signal(SIGTERM);
  return wait();
}

int WeirProcess::wait() {
  stopped_ = true;
  return process_.wait(2 * kPatience);
}

Outcome run_weir(std::vector<std::string> arguments, Command command) {
  command.arguments = {weir_binary()};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  ChildProcess process(command);
  Outcome outcome;
  outcome.exit_code = process.wait();
  outcome.out = process.out().text();
  outcome.err = process.err().text();
  return outcome;
}

}  // namespace weir::test
