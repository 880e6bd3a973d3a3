// A program started by a test, its output captured by threads, its end awaited. Killed when the
// object goes, and by the kernel should the test itself die. One thread, but for the output, which
// any thread may ask for.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/wait.h"

namespace weir::test {

// The bytes of one pipe, as they come.
class Capture {
 public:
  explicit Capture(int fd) : fd_(fd) {}
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  void start();
  std::string text() const;
  // Whole lines so far, without their ends.
  std::vector<std::string> lines() const;
  // Waits for that many lines. Throws TimedOut.
  std::vector<std::string> await_lines(std::size_t count) const;
  // Waits for the pipe's end: everything that will ever come has come.
  void await_end();

 private:
  int fd_;
  std::thread thread_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::string text_;            // guarded by mutex_
  std::size_t line_count_ = 0;  // guarded by mutex_
};

struct Command {
  std::vector<std::string> arguments;                            // the first is the program
  std::vector<std::pair<std::string, std::string>> environment;  // besides the test's own
  std::string folder;                                            // to run in; empty: the test's own
  std::uint64_t max_fds = 0;  // RLIMIT_NOFILE, soft and hard; 0: the test's own
  bool read_stdout = true;    // false: the pipe is left to fill up
};

class ChildProcess {
 public:
  explicit ChildProcess(const Command& command);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number) const;
  // The exit code, or 128 + the signal that killed it. Throws TimedOut.
  int wait(std::chrono::milliseconds patience = kPatience);

  Capture& out() { return *out_; }
  Capture& err() { return *err_; }

 private:
  bool reap(bool block);

  pid_t pid_ = -1;
  bool ended_ = false;
  int exit_code_ = -1;
  std::unique_ptr<Capture> out_;
  std::unique_ptr<Capture> err_;
};

// What /proc says of a process.
struct ProcessFigures {
  long rss_kib = 0;
  long peak_rss_kib = 0;
  long cpu_ticks = 0;  // user and system
  int open_fds = 0;
};
ProcessFigures figures_of(pid_t pid);

// Lets this process, and those it starts, open as many descriptors as the system allows.
void raise_fd_limit();

}  // namespace weir::test
