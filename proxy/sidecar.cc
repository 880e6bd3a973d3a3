#include "proxy/sidecar.h"

#include <csignal>
#include <utility>

#include "base/log.h"
#include "proxy/version.h"

namespace weir {
namespace {

// How often what was left to be done is looked at.
constexpr std::int64_t kTend_ms = 1'000;

// Of clients of the admin address: they have bounds of their own, and bodies that each call bounds.
// Limits are about visitors. Here are names of values, percent-encoded; and of one that is far too
// long the low-level cache says so itself.
conf::Limits admin_limits(conf::Limits limits) {
  constexpr std::uint64_t kLeastBytes = std::uint64_t{32} * 1024;
  constexpr std::uint64_t kLeastLineBytes = std::uint64_t{256} * 1024;
  limits.max_body = 0;
  limits.request_line = std::max(limits.request_line, kLeastLineBytes);
  limits.headers = std::max(limits.headers, kLeastBytes);
  return limits;
}

}  // namespace

Result<std::unique_ptr<Sidecar>> Sidecar::start(std::shared_ptr<const conf::Config> config,
                                                Load load) {
  std::unique_ptr<Sidecar> sidecar(new Sidecar(std::move(config), std::move(load)));
  Result<std::unique_ptr<front::AccessLog>> log =
      front::AccessLog::open(sidecar->config_->access_log);
  if (!log) return std::unexpected(log.error());
  sidecar->access_log_ = std::move(*log);
  Result<std::unique_ptr<Runtime>> runtime = Runtime::open(sidecar->config_, sidecar->loop_);
  if (!runtime) return std::unexpected(runtime.error());
  sidecar->runtime_ = std::move(*runtime);
  if (Result<void> opened = sidecar->open_listeners(); !opened) {
    return std::unexpected(opened.error());
  }
  Result<std::optional<OpenAddress>> admin = sidecar->open_admin(*sidecar->config_);
  if (!admin) return std::unexpected(admin.error());
  sidecar->admin_listening_ = std::move(*admin);
  sidecar->start_workers();
  return sidecar;
}

Sidecar::Sidecar(std::shared_ptr<const conf::Config> config, Load load)
    : config_(std::move(config)),
      load_(std::move(load)),
      instance_{.draining = &draining_,
                .clients = &clients_,
                .version = version_number(),
                .revision = version_revision(),
                .started_ms = system_clock().now_ms(),
                .started_wall_s = system_clock().wall_s()},
      ignored_fields_(std::make_shared<front::IgnoredFields>(config_->trusted_fields)),
      signals_(loop_, {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2},
               [this](int signal) { on_signal(signal); }),
      drain_delay_(loop_, [this] { drain(); }),
      drain_timeout_(loop_, [this] { out_of_time(); }),
      patience_(loop_, [this] { cut_who_is_left("drain_timeout is over"); }),
      admin_patience_(loop_, [this] { cut_who_is_left("the admin address takes too long"); }),
      tend_(loop_, [this] { tend(); }) {}

Sidecar::~Sidecar() {
  health_.reset();
  remove_socket_files();
  if (admin_listening_) remove_socket_file(*admin_listening_);
  workers_.clear();
}

void Sidecar::remove_socket_files() {
  for (const OpenAddress& address : listening_) remove_socket_file(address);
  listening_.clear();
}

Result<void> Sidecar::open_listeners() {
  std::vector<OpenAddress> opened;
  for (const conf::ListenAddress& listen : config_->listen) {
    Result<OpenAddress> address = open_address(listen, false, config_->workers);
    if (!address) return std::unexpected(address.error());
    opened.push_back(std::move(*address));
  }
  listening_ = std::move(opened);
  return {};
}

// An address that nobody asked for is nothing to fail for.
Result<std::optional<OpenAddress>> Sidecar::open_admin(const conf::Config& config) const {
  if (!config.admin) return std::nullopt;
  Result<OpenAddress> address = open_address(*config.admin, true, config.workers);
  if (address) return std::move(*address);
  if (!config.admin_by_default) return std::unexpected(address.error());
  log_warn("no admin address: {} (admin: gives another, or off)", address.error().message);
  return std::nullopt;
}

// What the configuration in force means to a worker.
WorkerSetup Sidecar::setup() {
  return {.site = runtime_->site(),
          .server = {.limits = config_->limits,
                     .trusted_proxies = config_->trusted_proxies,
                     .trusted_fields = config_->trusted_fields,
                     .ignored_fields = ignored_fields_,
                     .access_log = access_log_,
                     .clients = &clients_},
          .takes_purges = !config_->purge_allow.empty(),
          .admin = std::make_shared<const admin::Admin>(
              admin::Access(*config_), admin::make_calls(instance_, leases_), leases_),
          .admin_server = {.limits = admin_limits(config_->limits),
                           .clients = &admin_clients_,
                           .json_errors = true}};
}

void Sidecar::start_workers() {
  for (std::uint32_t i = 0; i < config_->workers; ++i) {
    Worker& worker = *workers_.emplace_back(std::make_unique<Worker>(setup(), runtime_->tables()));
    if (admin_listening_) worker.add_door(admin_listening_->door(i));
    for (OpenAddress& address : listening_) worker.add_door(address.door(i));
  }
  for (const auto& worker : workers_) worker->start();
  if (admin_listening_) log_info("admin address: {}", admin_listening_->text());
  for (const OpenAddress& address : listening_) log_info("listening on {}", address.text());
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
      reopen_access_log();
      return reload();
    case SIGUSR2:
      return log_warn("SIGUSR2 means nothing to this program: ignored");
    default:
      return end_on_signal(signal);
  }
}

void Sidecar::reopen_access_log() {
  if (access_log_) access_log_->reopen();
}

}  // namespace weir
