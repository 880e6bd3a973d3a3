#include "tests/support/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace weir::test {
namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    read_end = ends[0];
    write_end = ends[1];
  }
};

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (std::strncmp(*entry, "WEIR_", 5) != 0) all.emplace_back(*entry);
  for (const auto& [name, value] : command.environment) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// In the child, between fork and exec: nothing here may allocate or lock.
[[noreturn]] void become(const Command& command, char* const* arguments, char* const* environment,
                         int out, int err) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  if (command.max_fds > 0) {
    const rlimit limit{command.max_fds, command.max_fds};
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (!command.folder.empty() && chdir(command.folder.c_str()) != 0) _exit(127);
  execve(arguments[0], arguments, environment);
  _exit(127);
}

}  // namespace

Capture::~Capture() {
  if (thread_.joinable()) thread_.join();
  ::close(fd_);
}

void Capture::start() {
  thread_ = std::thread([this] {
    char bytes[16 * 1024];
    ssize_t got = 0;
    while ((got = ::read(fd_, bytes, sizeof(bytes))) > 0) {
      const std::lock_guard lock(mutex_);
      text_.append(bytes, static_cast<std::size_t>(got));
      line_count_ += static_cast<std::size_t>(std::count(bytes, bytes + got, '\n'));
      changed_.notify_all();
    }
  });
}

std::string Capture::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

std::vector<std::string> Capture::lines() const {
  const std::string all = text();
  std::vector<std::string> lines;
  std::size_t at = 0;
  for (std::size_t end; (end = all.find('\n', at)) != std::string::npos; at = end + 1)
    lines.push_back(all.substr(at, end - at));
  return lines;
}

std::vector<std::string> Capture::await_lines(std::size_t count) const {
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, Deadline().at(), [&] { return line_count_ >= count; }))
      throw TimedOut(std::to_string(count) + " lines of output; there is:\n" + text_);
  }
  return lines();
}

void Capture::await_end() {
  if (thread_.joinable()) thread_.join();
}

ChildProcess::ChildProcess(const Command& command) {
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = environment_of(command);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  const Pipe out;
  const Pipe err;
  pid_ = fork();
  if (pid_ == 0) become(command, argv.data(), envp.data(), out.write_end, err.write_end);
  ::close(out.write_end);
  ::close(err.write_end);
  out_ = std::make_unique<Capture>(out.read_end);
  err_ = std::make_unique<Capture>(err.read_end);
  if (pid_ < 0) throw std::runtime_error("fork");
  if (command.read_stdout) out_->start();
  err_->start();
}

ChildProcess::~ChildProcess() {
  if (!running()) return;
  signal(SIGKILL);
  reap(true);
}

bool ChildProcess::reap(bool block) {
  if (ended_) return true;
  int status = 0;
  if (waitpid(pid_, &status, block ? 0 : WNOHANG) != pid_) return false;
  ended_ = true;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

bool ChildProcess::running() {
  return !reap(false);
}

void ChildProcess::signal(int number) const {
  if (!ended_) kill(pid_, number);
}

int ChildProcess::wait(std::chrono::milliseconds patience) {
  if (!eventually([&] { return reap(false); }, patience)) throw TimedOut("the process runs on");
  err_->await_end();
  out_->await_end();
  return exit_code_;
}

ProcessFigures figures_of(pid_t pid) {
  ProcessFigures figures;
  const std::string folder = "/proc/" + std::to_string(pid);
  std::ifstream status(folder + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) figures.rss_kib = std::stol(line.substr(6));
    if (line.starts_with("VmHWM:")) figures.peak_rss_kib = std::stol(line.substr(6));
  }
  std::ifstream stat(folder + "/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  std::istringstream rest(text.substr(text.rfind(')') + 2));  // from field 3, the state, on
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  figures.cpu_ticks = std::stol(fields.at(11)) + std::stol(fields.at(12));
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder + "/fd"))
    ++figures.open_fds;
  return figures;
}

void raise_fd_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace weir::test
