// The composition root: the one place that knows all types and wires them. Start, drain, stop.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "base/net/event_loop.h"
#include "base/net/signals.h"
#include "base/net/timer.h"
#include "base/result.h"
#include "conf/config.h"
#include "proxy/admin/handler.h"
#include "proxy/front/access_log.h"
#include "proxy/front/ignored_fields.h"
#include "proxy/front/open_clients.h"
#include "proxy/runtime.h"
#include "proxy/upstream/health.h"
#include "proxy/worker.h"

namespace weir {

class Sidecar {
 public:
  // Opens the backends and the listeners, and starts the workers. What fails says why in a
  // sentence.
  static Result<std::unique_ptr<Sidecar>> start(std::shared_ptr<const conf::Config> config);
  ~Sidecar();

  // Serves until a signal has ended it. The exit code: 0 after a clean drain, 1 when the drain's
  // time was up and clients were cut.
  int run();

 private:
  explicit Sidecar(std::shared_ptr<const conf::Config> config);
  Result<void> open_listeners();
  Result<void> open_admin();
  void start_workers();
  void remove_socket_files();
  void on_signal(int signal);
  void reopen_access_log();
  void end_on_signal(int signal);
  void drain();
  void worker_drained();
  void out_of_time();
  void cut_who_is_left();
  void tend();

  const std::shared_ptr<const conf::Config> config_;
  std::unique_ptr<Runtime> runtime_;
  front::IgnoredFields ignored_fields_;
  std::unique_ptr<front::AccessLog> access_log_;
  front::OpenClients clients_;
  front::OpenClients admin_clients_;
  values::LeaseTable leases_;
  std::optional<admin::Admin> admin_;  // where there is an admin address

  // The main thread's loop: signals, the drain's timers, health checks.
  EventLoop loop_;
  SignalWatcher signals_;
  Timer drain_delay_;
  Timer drain_timeout_;
  Timer patience_;  // with the workers, once the drain is out of time
  Timer tend_;      // the runtime, every second
  std::unique_ptr<upstream::HealthChecker> health_;

  std::vector<Listening> listening_;
  std::optional<Listening> admin_listening_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t workers_left_ = 0;       // still draining
  std::size_t workers_asked_ = 0;      // to end those who have been answered
  std::atomic<bool> draining_{false};  // the admin address tells of it
  int exit_code_ = 0;
};

}  // namespace weir
