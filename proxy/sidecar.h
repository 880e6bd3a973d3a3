// The composition root: the one place that knows all types and wires them. Start, reload, drain,
// stop. Main thread; workers answer by its loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/net/event_loop.h"
#include "base/net/signals.h"
#include "base/net/timer.h"
#include "base/result.h"
#include "conf/config.h"
#include "proxy/admin/handler.h"
#include "proxy/config_change.h"
#include "proxy/front/access_log.h"
#include "proxy/front/ignored_fields.h"
#include "proxy/front/open_clients.h"
#include "proxy/open_address.h"
#include "proxy/runtime.h"
#include "proxy/upstream/health.h"
#include "proxy/worker.h"

namespace weir {

class Sidecar {
 public:
  // Loads the configuration anew, as it was loaded at start; null once it has logged why that is
  // not possible.
  using Load = std::function<std::shared_ptr<const conf::Config>()>;

  // Opens the backends and the listeners, and starts the workers. What fails says why in a
  // sentence. `load` is for a reload.
  static Result<std::unique_ptr<Sidecar>> start(std::shared_ptr<const conf::Config> config,
                                                Load load);
  ~Sidecar();

  // Serves until a signal has ended it. The exit code: 0 after a clean drain, 1 when the drain's
  // time was up and clients were cut.
  int run();

 private:
  // What another configuration needs and is not there yet. Dropped, it leaves nothing.
  struct Next {
    std::shared_ptr<const conf::Config> config;
    ConfigChange change;
    std::shared_ptr<front::AccessLog> access_log;
    std::optional<Runtime::Next> runtime;
    std::vector<std::optional<OpenAddress>> listen;  // parallel to config->listen: the new ones
    std::optional<OpenAddress> admin;                // a new one
  };
  // A configuration that workers are told of; what the one before had goes when all know.
  struct Switch {
    std::size_t workers_left = 0;
    std::shared_ptr<front::AccessLog> old_log;
  };

  Sidecar(std::shared_ptr<const conf::Config> config, Load load);
  Result<void> open_listeners();
  Result<std::optional<OpenAddress>> open_admin(const conf::Config& config) const;
  WorkerSetup setup();
  void start_workers();
  void remove_socket_files();
  void on_signal(int signal);
  void reopen_access_log();
  void tend();

  // another configuration (sidecar_reload.cc)
  void reload();
  Result<Next> prepare(std::shared_ptr<const conf::Config> config, ConfigChange change);
  Result<void> open_addresses(Next& next) const;
  void use(Next next);
  std::vector<std::uint64_t> switch_addresses(Next& next, std::vector<OpenAddress*>& opened);
  void tell_workers(const std::vector<OpenAddress*>& opened,
                    const std::vector<std::uint64_t>& closed,
                    std::shared_ptr<front::AccessLog> old_log);

  // the end (sidecar_drain.cc)
  void end_on_signal(int signal);
  void drain();
  void worker_drained();
  void drain_admin();
  void out_of_time();
  void cut_who_is_left(std::string_view why);

  std::shared_ptr<const conf::Config> config_;
  const Load load_;
  const admin::Instance instance_;
  EventLoop loop_;  // the main thread's
  std::unique_ptr<Runtime> runtime_;
  std::shared_ptr<front::IgnoredFields> ignored_fields_;
  std::shared_ptr<front::AccessLog> access_log_;
  front::OpenClients clients_;
  front::OpenClients admin_clients_;
  values::LeaseTable leases_;

  // On the main thread's loop: signals, the drain's timers, health checks.
  SignalWatcher signals_;
  Timer drain_delay_;
  Timer drain_timeout_;
  Timer patience_;  // with the workers, once the drain is out of time
  Timer admin_patience_;
  Timer tend_;  // the runtime, every second
  std::unique_ptr<upstream::HealthChecker> health_;

  std::vector<OpenAddress> listening_;  // parallel to config_->listen
  std::optional<OpenAddress>
      admin_listening_;  // empty also where a default one could not be opened
  std::vector<std::unique_ptr<Worker>> workers_;
  std::list<Switch> switches_;         // under way
  std::size_t workers_left_ = 0;       // still draining
  std::size_t admins_left_ = 0;        // of them, behind that, whose admin address is in use
  std::size_t workers_asked_ = 0;      // to end those who have been answered
  std::atomic<bool> draining_{false};  // the admin address tells of it
  int exit_code_ = 0;
};

}  // namespace weir
