#include "tests/support/redis_server.h"

#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

namespace weir::test {
namespace {

// Behind env, which looks a program up in PATH and becomes it.
Command to_run(std::vector<std::string> arguments, const std::string& folder) {
  Command command;
  command.arguments = std::move(arguments);
  command.arguments.insert(command.arguments.begin(), "/usr/bin/env");
  command.folder = folder;
  return command;
}

// The letter that /proc has for what the process does: T is stopped by a signal.
char state_of(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  const std::string text((std::istreambuf_iterator<char>(stat)), {});
  const std::size_t name_end = text.rfind(") ");
  return name_end == std::string::npos ? '\0' : text.at(name_end + 2);
}

}  // namespace

HeldPort::HeldPort() : socket_(Socket::refuse_tcp()) {
  // Only now: the system would not look for a port that is free of everybody before.
  const int on = 1;
  if (setsockopt(socket_.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
    throw std::system_error(errno, std::generic_category(), "setsockopt");
}

RedisServer::RedisServer(RedisSetup setup) : setup_(std::move(setup)) {
  if (setup_.tls) {
    tls_port_.emplace();
    certificates_.emplace();
  }
  if (setup_.cluster) bus_port_.emplace();
  folder_.write("redis.conf", config());  // once: a sentinel keeps what it learns in there
  start_again();
}

std::string RedisServer::config() const {
  std::string text = "bind 127.0.0.1\nprotected-mode no\nport " + std::to_string(port()) +
                     "\nunixsocket " + unix_path() + "\ndir " + folder() + "\ndaemonize no\n";
  // Replicas are given their data at once, and a server that ends waits little for lame ones.
  if (!setup_.sentinel)
    text +=
        "save \"\"\nappendonly no\nenable-debug-command yes\n"
        "repl-diskless-sync-delay 0\nrepl-ping-replica-period 1\nshutdown-timeout 1\n";
  if (setup_.tls) {
    const Certificates::Pair server = certificates().issue("server");
    text += "tls-port " + std::to_string(tls_port()) + "\ntls-auth-clients " +
            (setup_.tls_clients ? "yes" : "no") + "\ntls-ca-cert-file " + ca_file() +
            "\ntls-cert-file " + server.cert_file + "\ntls-key-file " + server.key_file + "\n";
  }
  if (setup_.cluster)
    text += "cluster-enabled yes\ncluster-announce-ip 127.0.0.1\ncluster-port " +
            std::to_string(bus_port()) + "\n";
  for (const std::string& line : setup_.lines) text += line + "\n";
  return text;
}

std::string RedisServer::configured(std::string_view name) const {
  std::string word;
  for (const std::string& line : setup_.lines)
    if (line.starts_with(std::string(name) + " ")) word = line.substr(name.size() + 1);
  return word;
}

RedisClient RedisServer::client() const {
  RedisClient client(unix_path());
  const std::string password = configured("requirepass");
  if (!password.empty()) client.must({"AUTH", password});
  return client;
}

// Any answer but that it loads its data is one of a server that serves: an error says what a test
// has configured. The Unix socket comes after the ports, and stands in a folder that is ours.
bool RedisServer::serves() const {
  try {
    return client().command({"PING"}).error_code() != "LOADING";
  } catch (const std::system_error&) {
    return false;
  } catch (const PeerGone&) {
    return false;
  }
}

void RedisServer::start_again() {
  if (process_ && process_->running()) throw std::logic_error("redis-server runs already");
  if (process_) end_with(SIGKILL);  // it ended by itself: its log is kept
  const char* program = setup_.sentinel ? "redis-sentinel" : "redis-server";
  process_ =
      std::make_unique<ChildProcess>(to_run({program, folder_.file("redis.conf")}, folder()));
  const bool settled = eventually([&] { return !process_->running() || serves(); });
  if (settled && process_->running()) return;
  end_with(SIGKILL);
  throw std::runtime_error("redis-server does not serve:\n" + earlier_log_);
}

ChildProcess& RedisServer::process() const {
  if (!process_) throw std::logic_error("redis-server is down");
  return *process_;
}

int RedisServer::end_with(int signal) {
  process().signal(signal);
  process().signal(SIGCONT);  // a paused one has to wake to hear it
  paused_ = false;
  const int code = process().wait();
  earlier_log_ = log_text();
  process_.reset();
  return code;
}

int RedisServer::stop() {
  return end_with(SIGTERM);
}

void RedisServer::kill() {
  end_with(SIGKILL);
}

void RedisServer::pause() {
  process().signal(SIGSTOP);
  paused_ = true;
  if (!eventually([&] { return state_of(pid()) == 'T'; })) throw TimedOut("redis-server runs on");
}

void RedisServer::go_on() {
  process().signal(SIGCONT);
  paused_ = false;
}

std::string RedisServer::log_text() const {
  if (!process_) return earlier_log_;
  return earlier_log_ + process_->out().text() + process_->err().text();
}

}  // namespace weir::test
