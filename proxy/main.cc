// weir: parse the command line, load the configuration, run.
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <variant>

#include "base/heap.h"
#include "base/log.h"
#include "base/net/signals.h"
#include "conf/cli.h"
#include "conf/load.h"
#include "proxy/sidecar.h"
#include "proxy/upstream/curl_global.h"
#include "proxy/version.h"

namespace {

using namespace weir;  // NOLINT: this file is the program

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (!value) return std::nullopt;
  return value;
}

int print_problems(const std::vector<conf::Problem>& problems) {
  for (const conf::Problem& problem : problems) {
    std::fprintf(stderr, "%s\n", conf::render(problem).c_str());
  }
  return kExitUsage;
}

// -c, else ./weir.yaml, else /etc/weir/weir.yaml; nothing stands for the built-in rule.
std::optional<std::string> configuration_file(const conf::RunCommand& command) {
  if (command.file) return command.file;
  for (const char* path : {"./weir.yaml", "/etc/weir/weir.yaml"}) {
    if (access(path, F_OK) == 0) return path;
  }
  return std::nullopt;
}

// A weir.yaml in the working folder is taken without being asked for, so say which file it was.
void log_origin(const std::optional<std::string>& file, const conf::Config& config) {
  if (file) return log_info("configuration: {}", *file);
  log_info("no configuration file: every path is cached for {} s",
           config.routes.front().cache->duration.seconds);
}

// Each client and each connection to the app is a descriptor; the soft limit is seldom meant for
// a server.
void raise_descriptor_limit(const conf::Config& config) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::uint64_t wanted =
      std::uint64_t{config.limits.connections} + config.upstream.max_connections + 64;
  if (limit.rlim_cur < wanted) {
    log_warn(
        "only {} descriptors are allowed, {} may be wanted (limits.connections + "
        "upstream.max_connections): raise `ulimit -n`",
        limit.rlim_cur, wanted);
  }
}

int run(const conf::RunCommand& command) {
  // Whoever rotates logs may signal a process that is not listening yet: it must not end by that.
  block_signals({SIGHUP, SIGUSR1, SIGUSR2});
  const std::optional<std::string> file = configuration_file(command);
  const conf::LoadResult loaded = file ? conf::load_file(*file, command.overrides, environment)
                                       : conf::load_builtin(command.overrides, environment);
  if (!loaded.config) return print_problems(loaded.problems);
  log_origin(file, *loaded.config);
  for (const std::string& warning : loaded.config->warnings) log_warn("{}", warning);
  raise_descriptor_limit(*loaded.config);
  block_signals({SIGTERM, SIGINT});
  // A peer that is gone is an error of the write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  upstream::init_curl();
  Result<std::unique_ptr<Sidecar>> sidecar = Sidecar::start(loaded.config);
  if (!sidecar) {
    log_error("{}", sidecar.error().message);
    return kExitFailure;
  }
  return (*sidecar)->run();
}

int check(const conf::CheckCommand& command) {
  const conf::LoadResult loaded = conf::load_file(command.file, command.overrides, environment);
  if (!loaded.config) return print_problems(loaded.problems);
  for (const std::string& warning : loaded.config->warnings) {
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
  std::printf("OK: %s (%zu backends, %zu routes)\n", command.file.c_str(),
              loaded.config->backends.size(), loaded.config->routes.size());
  return 0;
}

int leave(const conf::Leave& command) {
  std::fputs(command.out.c_str(), stdout);
  std::fputs(command.err.c_str(), stderr);
  return command.exit_code;
}

int dispatch(const conf::Command& command) {
  if (const auto* found = std::get_if<conf::RunCommand>(&command)) return run(*found);
  if (const auto* found = std::get_if<conf::CheckCommand>(&command)) return check(*found);
  if (const auto* found = std::get_if<conf::Leave>(&command)) return leave(*found);
  std::fputs(version_text().c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    set_up_heap();  // first: threads make arenas
    init_log();
    return dispatch(conf::parse_command_line(argc, argv, environment));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weir: %s\n", error.what());
    return kExitFailure;
  }
}
