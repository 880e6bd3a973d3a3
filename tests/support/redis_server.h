// A real redis-server in a folder of its own, on ports that nobody else gets while it is there,
// even while it is down. Debian's defaults do not count: it persists nothing and asks for no
// password unless a test says so. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/child_process.h"
#include "tests/support/redis_client.h"
#include "tests/support/temp_dir.h"

namespace weir::test {

// A port of 127.0.0.1 that the system gives to nobody as long as this lives. Who asks for just this
// one, with SO_REUSEADDR, as Redis does, may listen there; while nobody does, it refuses.
class HeldPort {
 public:
  HeldPort();
  std::uint16_t number() const { return socket_.port(); }

 private:
  Socket socket_;
};

struct RedisSetup {
  std::vector<std::string> lines = {};  // of redis.conf; they win over ours
  bool tls = false;                     // listens for TLS too, with a certificate of its own CA …
  bool tls_clients = false;             // … and takes only clients that have one of it as well
  bool cluster = false;                 // a node of a cluster, alone as yet
  bool sentinel = false;                // a sentinel, which `lines` tell whom to watch
};

class RedisServer {
 public:
  // Returns once it serves. Throws with its log when it does not.
  explicit RedisServer(RedisSetup setup = {});
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  // Of 127.0.0.1. Those of TLS and of the cluster's bus: where the setup asks for them.
  std::uint16_t port() const { return port_.number(); }
  std::uint16_t tls_port() const { return tls_port_.value().number(); }
  std::uint16_t bus_port() const { return bus_port_.value().number(); }
  std::string unix_path() const { return folder_.file("redis.sock"); }
  // What to trust: the certificate at the TLS port is for localhost and 127.0.0.1.
  std::string ca_file() const { return certificates().ca_file(); }
  // Its CA, for a client's certificate.
  const Certificates& certificates() const { return certificates_.value(); }
  const std::string& folder() const { return folder_.path(); }
  // -1 while it is down.
  pid_t pid() const { return process_ ? process_->pid() : -1; }
  // Neither ended nor paused.
  bool is_up() { return process_ && process_->running() && !paused_; }

  // Over the Unix socket, with the password of a `requirepass` line.
  RedisClient client() const;
  // The word behind `name` in the setup's lines; empty: no such line.
  std::string configured(std::string_view name) const;

  // SIGTERM, then the exit code.
  int stop();
  void kill();
  // On the same ports and in the same folder: what it persisted is there again.
  void start_again();
  // A server that hangs: the system still takes connections and bytes for it.
  void pause();
  void go_on();

  // Of all its runs.
  std::string log_text() const;

 private:
  std::string config() const;
  bool serves() const;
  ChildProcess& process() const;
  int end_with(int signal);

  RedisSetup setup_;
  TempDir folder_;
  HeldPort port_;
  std::optional<HeldPort> tls_port_;
  std::optional<Certificates> certificates_;
  std::optional<HeldPort> bus_port_;
  std::unique_ptr<ChildProcess> process_;
  bool paused_ = false;
  std::string earlier_log_;  // of the runs that were ended
};

}  // namespace weir::test
