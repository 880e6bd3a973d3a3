// weir: parse the command line, load the configuration, run.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <variant>

#include "backends/disk/disk_backend.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/net/signals.h"
#include "conf/cli.h"
#include "conf/load.h"
#include "proxy/admin/commands.h"
#include "proxy/admin/top.h"
#include "proxy/check_command.h"
#include "proxy/explain_command.h"
#include "proxy/sidecar.h"
#include "proxy/upstream/curl_global.h"
#include "proxy/version.h"

namespace {

using namespace weir;  // NOLINT: this file is the program

constexpr int kExitFailure = 1;

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (!value) return std::nullopt;
  return value;
}

struct Loaded {
  std::optional<std::string> file;  // nothing stands for the built-in rule
  conf::LoadResult result;
};

// Also a file that cannot be read, or a link that leads nowhere: it holds rules that are not to be
// passed over. A working folder that is closed to this user is not where anybody has put them.
bool may_be_there(const char* path) {
  struct stat found{};
  if (lstat(path, &found) == 0) return true;
  if (errno == EACCES) return path[0] == '/';
  return errno != ENOENT && errno != ENOTDIR;
}

// What -c names, else ./weir.yaml, else /etc/weir/weir.yaml, else the built-in rule.
Loaded load(std::optional<std::string> file, const conf::Overrides& overrides) {
  for (const char* path : {"./weir.yaml", "/etc/weir/weir.yaml"}) {
    if (!file && may_be_there(path)) file = path;
  }
  if (!file) return {file, conf::load_builtin(overrides, environment)};
  return {file, conf::load_file(*file, overrides, environment)};
}

// A weir.yaml in the working folder is taken without being asked for, so say which file it was.
void log_origin(const std::optional<std::string>& file, const conf::Config& config) {
  if (file) return log_info("configuration: {}", *file);
  log_info("no configuration file: every path is cached for {} s",
           config.routes.front().cache->duration.seconds);
}

// Without which it does not start: loops, logs, listeners, and what the disks keep open.
std::uint64_t least_descriptors(const conf::Config& config) {
  constexpr std::uint64_t kProcess = 32;
  constexpr std::uint64_t kWorker = 12;
  std::uint64_t sum = kProcess + kWorker * config.workers;
  for (const conf::Backend& backend : config.backends) {
    if (conf::is_disk(backend)) sum += backends::disk_descriptors(backend.max_size);
    // Two links of each loop, of two configurations during a reload, and those of the log.
    if (conf::is_redis(backend)) sum += 4 * std::uint64_t{config.workers} + 3;
  }
  return sum;
}

// Each client and each connection to the app is a descriptor, too; the soft limit is seldom meant
// for a server.
Result<void> raise_descriptor_limit(const conf::Config& config) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::uint64_t least = least_descriptors(config);
  if (limit.rlim_cur < least) {
    return fail(ErrorCode::Refused, "only " + std::to_string(limit.rlim_cur) +
                                        " descriptors are allowed, and " + std::to_string(least) +
                                        " are needed to start: raise `ulimit -n`");
  }
  const std::uint64_t wanted = least + config.limits.connections + config.upstream.max_connections;
  if (limit.rlim_cur < wanted) {
    log_warn(
        "only {} descriptors are allowed, {} may be wanted (limits.connections + "
        "upstream.max_connections): raise `ulimit -n`",
        limit.rlim_cur, wanted);
  }
  return {};
}

// For a reload: what cannot be taken is logged; `check` shows the place.
std::shared_ptr<const conf::Config> load_anew(const conf::RunCommand& command) {
  const Loaded loaded = load(command.file, command.overrides);
  for (const conf::Problem& problem : loaded.result.problems) {
    log_error("{}", conf::headline(problem));
  }
  std::shared_ptr<const conf::Config> config = loaded.result.config;
  if (!config) return nullptr;
  log_origin(loaded.file, *config);
  for (const std::string& warning : config->warnings) log_warn("{}", warning);
  if (const auto raised = raise_descriptor_limit(*config); !raised) {
    log_error("{}", raised.error().message);
    return nullptr;
  }
  return config;
}

int run(const conf::RunCommand& command) {
  // Whoever rotates logs may signal a process that is not listening yet: it must not end by that.
  block_signals({SIGHUP, SIGUSR1, SIGUSR2});
  // The first process of a container has none of the usual ends: the signal would be lost.
  if (getpid() == 1) block_signals({SIGTERM, SIGINT});
  // A peer, or a reader of the log, that is gone is an error of the write, not the end of the
  // process. So is a file that may not become any larger.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const Loaded loaded = load(command.file, command.overrides);
  const std::shared_ptr<const conf::Config> config = loaded.result.config;
  if (!config) {
    // A line each where they are logged: whoever restarts it would fill the log with excerpts.
    const bool is_read_at_once = isatty(STDERR_FILENO) != 0;
    return print_problems(loaded.file, loaded.result.problems,
                          is_read_at_once ? Excerpts::With : Excerpts::Without);
  }
  log_origin(loaded.file, *config);
  for (const std::string& warning : config->warnings) log_warn("{}", warning);
  if (const auto raised = raise_descriptor_limit(*config); !raised) {
    log_error("{}", raised.error().message);
    return kExitFailure;
  }
  block_signals({SIGTERM, SIGINT});
  upstream::init_curl();
  Result<std::unique_ptr<Sidecar>> sidecar =
      Sidecar::start(config, [&command] { return load_anew(command); });
  if (!sidecar) {
    log_error("{}", sidecar.error().message);
    return kExitFailure;
  }
  return (*sidecar)->run();
}

int check(const conf::CheckCommand& command) {
  const Loaded loaded = load(command.file, command.overrides);
  return weir::check(loaded.file, loaded.result, command.json);
}

int explain(const conf::ExplainCommand& command) {
  if (command.live) return explain_live(command);
  const Loaded loaded = load(command.file, command.overrides);
  if (!loaded.result.config) return print_problems(loaded.file, loaded.result.problems);
  return explain_offline(command, loaded.result.config);
}

int leave(const conf::Leave& command) {
  std::fputs(command.out.c_str(), stdout);
  std::fputs(command.err.c_str(), stderr);
  return command.exit_code;
}

int dispatch(const conf::Command& command) {
  if (const auto* found = std::get_if<conf::RunCommand>(&command)) return run(*found);
  if (const auto* found = std::get_if<conf::CheckCommand>(&command)) return check(*found);
  if (const auto* found = std::get_if<conf::ExplainCommand>(&command)) return explain(*found);
  if (const auto* found = std::get_if<conf::PurgeCommand>(&command)) return admin::purge(*found);
  if (const auto* found = std::get_if<conf::ValueCommand>(&command)) {
    return admin::handle_value(*found);
  }
  if (const auto* found = std::get_if<conf::HealthCommand>(&command)) return admin::health(*found);
  if (const auto* found = std::get_if<conf::TopCommand>(&command)) return admin::top(*found);
  if (const auto* found = std::get_if<conf::Leave>(&command)) return leave(*found);
  const auto& version = std::get<conf::VersionCommand>(command);
  std::fputs(version.json ? version_json().c_str() : version_text().c_str(), stdout);
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
