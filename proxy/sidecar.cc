#include "proxy/sidecar.h"

#include <unistd.h>

#include <csignal>

#include "base/log.h"
#include "proxy/version.h"

namespace weir {
namespace {

// How long workers may take to say that they have ended who could be ended.
constexpr std::int64_t kAnswerOfWorkers_ms = 1'000;
// How often what was left to be done is looked at.
constexpr std::int64_t kTend_ms = 1'000;

Result<SocketAddress> socket_address(const conf::ListenAddress& listen) {
  return listen.kind == conf::ListenAddress::Kind::Unix
             ? SocketAddress::unix_path(listen.host)
             : SocketAddress::tcp(listen.host, listen.port);
}

Result<Listening> listen_at(const conf::ListenAddress& listen, std::size_t workers) {
  const Result<SocketAddress> address = socket_address(listen);
  if (!address) return std::unexpected(address.error());
  return listen_on(*address, workers);
}

void remove_socket_file(const Listening& listening) {
  const std::string text = listening.address.text();
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix)) unlink(text.substr(kUnix.size()).c_str());
}

// Of clients of the admin address: they have bounds of their own, and bodies that each call bounds.
conf::Limits admin_limits(conf::Limits limits) {
  limits.max_body = 0;
  return limits;
}

}  // namespace

Result<std::unique_ptr<Sidecar>> Sidecar::start(std::shared_ptr<const conf::Config> config) {
  std::unique_ptr<Sidecar> sidecar(new Sidecar(std::move(config)));
  Result<std::unique_ptr<front::AccessLog>> log =
      front::AccessLog::open(sidecar->config_->access_log);
  if (!log) return std::unexpected(log.error());
  sidecar->access_log_ = std::move(*log);
  Result<std::unique_ptr<Runtime>> runtime = Runtime::open(sidecar->config_);
  if (!runtime) return std::unexpected(runtime.error());
  sidecar->runtime_ = std::move(*runtime);
  if (Result<void> opened = sidecar->open_listeners(); !opened) {
    return std::unexpected(opened.error());
  }
  if (Result<void> opened = sidecar->open_admin(); !opened) {
    return std::unexpected(opened.error());
  }
  sidecar->start_workers();
  return sidecar;
}

Sidecar::Sidecar(std::shared_ptr<const conf::Config> config)
    : config_(std::move(config)),
      ignored_fields_(config_->trusted_fields),
      signals_(loop_, {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2},
               [this](int signal) { on_signal(signal); }),
      drain_delay_(loop_, [this] { drain(); }),
      drain_timeout_(loop_, [this] { out_of_time(); }),
      patience_(loop_, [this] { cut_who_is_left(); }),
      tend_(loop_, [this] { tend(); }) {}

Sidecar::~Sidecar() {
  health_.reset();
  remove_socket_files();
  if (admin_listening_) remove_socket_file(*admin_listening_);
  workers_.clear();
}

// While the listeners are still open: from the moment they are closed another process may take the
// name, and its file is not ours to remove.
void Sidecar::remove_socket_files() {
  for (const Listening& listening : listening_) remove_socket_file(listening);
  listening_.clear();
}

Result<void> Sidecar::open_listeners() {
  std::vector<Listening> opened;
  for (const conf::ListenAddress& listen : config_->listen) {
    Result<Listening> listening = listen_at(listen, config_->workers);
    if (!listening) return std::unexpected(listening.error());
    opened.push_back(std::move(*listening));
  }
  listening_ = std::move(opened);
  return {};
}

// An address that nobody asked for is nothing to fail for.
Result<void> Sidecar::open_admin() {
  if (!config_->admin) return {};
  Result<Listening> listening = listen_at(*config_->admin, config_->workers);
  if (!listening && config_->admin_by_default) {
    log_warn("no admin address: {} (admin: gives another, or off)", listening.error().message);
    return {};
  }
  if (!listening) return std::unexpected(listening.error());
  admin_listening_ = std::move(*listening);
  const admin::Instance instance{.draining = &draining_,
                                 .clients = &clients_,
                                 .version = version_number(),
                                 .revision = version_revision(),
                                 .started_ms = system_clock().now_ms(),
                                 .started_wall_s = system_clock().wall_s()};
  admin_.emplace(admin::Access(*config_), admin::make_calls(instance, leases_), leases_);
  return {};
}

void Sidecar::start_workers() {
  for (std::uint32_t i = 0; i < config_->workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(WorkerOptions{
        .site = runtime_->site(),
        .tables = &runtime_->tables(),
        .server = {.limits = config_->limits,
                   .trusted_proxies = config_->trusted_proxies,
                   .trusted_fields = config_->trusted_fields,
                   .ignored_fields = &ignored_fields_,
                   .access_log = access_log_.get(),
                   .clients = &clients_},
        .admin = admin_ ? &*admin_ : nullptr,
        .admin_server = {.limits = admin_limits(config_->limits), .clients = &admin_clients_},
        .takes_purges = !config_->purge_allow.empty(),
    }));
    if (admin_listening_) {
      workers_.back()->add_admin_listener(std::move(admin_listening_->sockets[i]));
    }
    for (Listening& listening : listening_) {
      workers_.back()->add_listener(std::move(listening.sockets[i]));
    }
  }
  for (const auto& worker : workers_) worker->start();
  if (admin_listening_) log_info("admin address: {}", admin_listening_->address.text());
  for (const Listening& listening : listening_) {
    log_info("listening on {}", listening.address.text());
  }
  health_ = upstream::start_health_checks(loop_, runtime_->site()->upstreams);
}

void Sidecar::tend() {
  runtime_->tend();
  tend_.start(kTend_ms);
}

int Sidecar::run() {
  tend_.start(kTend_ms);
  loop_.run();
  return exit_code_;
}

void Sidecar::on_signal(int signal) {
  switch (signal) {
    case SIGUSR1:
      log_info("SIGUSR1: opening the access log anew");
      return reopen_access_log();
    case SIGHUP:
      log_warn(
          "SIGHUP: opening the access log anew; this version cannot reload its configuration, "
          "restart it for that");
      return reopen_access_log();
    case SIGUSR2:
      return log_warn("SIGUSR2 means nothing to this program: ignored");
    default:
      return end_on_signal(signal);
  }
}

void Sidecar::reopen_access_log() {
  if (access_log_) access_log_->reopen();
}

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

// Who has had his answer and merely has not closed is not cut.
void Sidecar::out_of_time() {
  patience_.start(kAnswerOfWorkers_ms);
  workers_asked_ = workers_.size();
  for (const auto& worker : workers_) {
    worker->end_answered([this] {
      loop_.post([this] {
        if (--workers_asked_ == 0 && workers_left_ > 0) cut_who_is_left();
      });
    });
  }
}

void Sidecar::cut_who_is_left() {
  log_warn("drain_timeout is over: cutting the clients that are left");
  exit_code_ = 1;
  loop_.stop();
}

void Sidecar::worker_drained() {
  if (--workers_left_ > 0) return;
  log_info("drained");
  loop_.stop();
}

}  // namespace weir
