// How the process ends: nobody new is taken, who is there is served, and then everything goes.
#include <algorithm>
#include <csignal>

#include "base/log.h"
#include "proxy/sidecar.h"

namespace weir {
namespace {

// How long workers may take to say that they have ended who could be ended.
constexpr std::int64_t kAnswerOfWorkers_ms = 1'000;
// How long the admin address's last requests may take. What of drain_timeout is left, if less.
constexpr std::int64_t kAdminPatience_ms = 5'000;

}  // namespace

void Sidecar::end_on_signal(int signal) {
  if (draining_.exchange(true)) {
    log_warn("second signal: ending at once");
    exit_code_ = 1;
    return loop_.stop();
  }
  const std::int64_t delay_ms = signal == SIGTERM ? config_->drain_delay_ms : 0;
  log_info("draining: accepting ends in {} ms", delay_ms);
  drain_delay_.start(delay_ms);
}

void Sidecar::drain() {
  remove_socket_files();
  drain_timeout_.start(config_->drain_timeout_ms);
  workers_left_ = workers_.size();
  for (const auto& worker : workers_) {
    worker->drain([this] { loop_.post([this] { worker_drained(); }); });
  }
}

void Sidecar::worker_drained() {
  if (--workers_left_ == 0) drain_admin();
}

// Last: until here it has told how things stand.
void Sidecar::drain_admin() {
  leases_.end_waiting();
  admin_patience_.start(std::min(config_->drain_timeout_ms, kAdminPatience_ms));
  admins_left_ = workers_.size();
  for (const auto& worker : workers_) {
    worker->drain_admin([this] {
      loop_.post([this] {
        if (--admins_left_ > 0) return;
        runtime_->leave_fleets();
        log_info("drained");
        loop_.stop();
      });
    });
  }
}

// Who has had his answer and merely has not closed is not cut.
void Sidecar::out_of_time() {
  patience_.start(kAnswerOfWorkers_ms);
  workers_asked_ = workers_.size();
  for (const auto& worker : workers_) {
    worker->end_answered([this] {
      loop_.post([this] {
        const bool all = --workers_asked_ == 0;
        if (all && workers_left_ > 0) cut_who_is_left("drain_timeout is over");
      });
    });
  }
}

void Sidecar::cut_who_is_left(std::string_view why) {
  log_warn("{}: cutting the clients that are left", why);
  exit_code_ = 1;
  loop_.stop();
}

}  // namespace weir
