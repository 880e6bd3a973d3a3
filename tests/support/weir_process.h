// The real binary under test, started with a configuration of the test's. Its ports are learnt from
// its log. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/temp_dir.h"

namespace weir::test {

// The binary's path; of another build where WEIR_TEST_BINARY names it (`make asan`, `make tsan`).
std::string weir_binary();
// Whether that one carries a sanitizer, as WEIR_TEST_SANITIZED says: its figures of time and memory
// mean little.
bool is_sanitized();

struct Launch {
  std::string yaml;                         // empty: no file, no -c
  std::vector<std::string> arguments = {};  // behind those that start it
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::uint64_t max_fds = 0;
  bool read_stdout = true;
  std::size_t listeners = 1;  // addresses that it must say it listens on
};

class WeirProcess {
 public:
  // Returns once it listens. Throws with its log when it does not.
  explicit WeirProcess(const Launch& launch);
  // Ends it if it still runs; a test failure when that is not clean.
  ~WeirProcess();

  std::uint16_t port(std::size_t index = 0) const;
  // Of the admin address.
  std::uint16_t admin_port() const;
  // As the log gives it: "127.0.0.1:41235", "[::1]:41235", "unix:/path".
  const std::vector<std::string>& addresses() const { return addresses_; }
  // From the start of the process until its log said that it listens.
  std::chrono::milliseconds start_time() const { return start_time_; }

  // Another configuration in the place of the one that it was started with; it is not told.
  void write_config(const std::string& yaml) const { folder_.write("weir.yaml", yaml); }
  // What the log says behind this text, line by line.
  std::vector<std::string> log_behind(std::string_view text);

  // SIGTERM, then the exit code.
  int stop();
  // The exit code of one that ends without being told here. Any code is right then.
  int wait();
  bool running() { return process_.running(); }
  ChildProcess& process() { return process_; }
  ProcessFigures figures() const { return figures_of(process_.pid()); }
  // Lines of the access log so far; waits for at least `count`.
  std::vector<std::string> await_log(std::size_t count) {
    return process_.out().await_lines(count);
  }
  std::string log_text() { return process_.err().text(); }

 private:
  Command command_for(const Launch& launch) const;
  void await_listening(std::size_t listeners);

  TempDir folder_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  ChildProcess process_;
  std::vector<std::string> addresses_;
  std::string admin_;
  std::chrono::milliseconds start_time_{};
  bool stopped_ = false;
};

// A run that ends by itself.
struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};
Outcome run_weir(std::vector<std::string> arguments, Command command = {});

}  // namespace weir::test
