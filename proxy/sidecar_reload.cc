// SIGHUP: another configuration comes into force while clients are served. First everything is
// opened that it needs and is not there; where that fails nothing has changed. Then nothing can
// fail any more, and each loop is told.
#include <iterator>
#include <utility>

#include "base/log.h"
#include "proxy/sidecar.h"

namespace weir {

void Sidecar::reload() {
  if (draining_.load()) return log_warn("SIGHUP: not reloading, since this process is ending");
  log_info("SIGHUP: reloading the configuration");
  const std::shared_ptr<const conf::Config> loaded = load_();
  if (!loaded) return log_error("not reloaded: the old configuration stays");
  ConfigChange change = change_of(*config_, *loaded);
  for (const std::string& sentence : change.kept) log_warn("{}", sentence);
  for (const std::string& sentence : change.refused) log_error("{}", sentence);
  if (!change.refused.empty()) return log_error("not reloaded: the old configuration stays");
  Result<Next> next =
      prepare(std::make_shared<const conf::Config>(in_force(*config_, *loaded)), std::move(change));
  if (!next) {
    log_error("{}", next.error().message);
    return log_error("not reloaded: the old configuration stays");
  }
  use(std::move(*next));
}

// The folders last: what is opened of them may take a while to be closed again.
Result<Sidecar::Next> Sidecar::prepare(std::shared_ptr<const conf::Config> config,
                                       ConfigChange change) {
  Next next;
  next.config = std::move(config);
  next.change = std::move(change);
  next.access_log = access_log_;
  if (!next.change.same_log_file) {
    Result<std::unique_ptr<front::AccessLog>> log = front::AccessLog::open(next.config->access_log);
    if (!log) return std::unexpected(log.error());
    next.access_log = std::move(*log);
  }
  Result<void> opened = open_addresses(next);
  if (opened) {
    Result<Runtime::Next> runtime = runtime_->prepare(next.config, next.change);
    if (runtime) {
      next.runtime = std::move(*runtime);
      return next;
    }
    opened = std::unexpected(runtime.error());
  }
  for (const auto& address : next.listen) {
    if (address) remove_socket_file(*address);
  }
  if (next.admin) remove_socket_file(*next.admin);
  return std::unexpected(opened.error());
}

Result<void> Sidecar::open_addresses(Next& next) const {
  const conf::Config& config = *next.config;
  for (std::size_t i = 0; i < config.listen.size(); ++i) {
    std::optional<OpenAddress>& place = next.listen.emplace_back();
    if (next.change.listen[i]) continue;
    Result<OpenAddress> address = open_address(config.listen[i], false, workers_.size());
    if (!address) return std::unexpected(address.error());
    place = std::move(*address);
  }
  if (next.change.same_admin && admin_listening_) return {};
  Result<std::optional<OpenAddress>> admin = open_admin(config);
  if (!admin) return std::unexpected(admin.error());
  next.admin = std::move(*admin);
  return {};
}

void Sidecar::use(Next next) {
  config_ = std::move(next.config);
  if (!next.change.same_trusted_fields) {
    ignored_fields_ = std::make_shared<front::IgnoredFields>(config_->trusted_fields);
  }
  std::shared_ptr<front::AccessLog> old_log =
      std::exchange(access_log_, std::move(next.access_log));
  if (access_log_) access_log_->set_format(config_->access_log.format);
  runtime_->use(std::move(*next.runtime));
  if (!next.change.same_upstream) {
    health_ = upstream::start_health_checks(loop_, runtime_->site()->upstreams);
  }
  std::vector<OpenAddress*> opened;
  const std::vector<std::uint64_t> closed = switch_addresses(next, opened);
  tell_workers(opened, closed, std::move(old_log));
}

// Which ones the workers are to close; `opened` are those that they are to open.
std::vector<std::uint64_t> Sidecar::switch_addresses(Next& next,
                                                     std::vector<OpenAddress*>& opened) {
  std::vector<std::uint64_t> closed;
  const auto close = [&](const OpenAddress& address) {
    remove_socket_file(address);
    closed.push_back(address.id);
    log_info("closed to new connections: {}", address.text());
  };
  for (const std::size_t index : next.change.closed_listen) close(listening_[index]);
  std::vector<OpenAddress> listening;
  for (std::size_t i = 0; i < next.listen.size(); ++i) {
    const std::optional<std::size_t> there = next.change.listen[i];
    listening.push_back(std::move(there ? listening_[*there] : *next.listen[i]));
  }
  listening_ = std::move(listening);
  for (std::size_t i = 0; i < next.listen.size(); ++i) {
    if (next.change.listen[i]) continue;
    opened.push_back(&listening_[i]);
    log_info("listening on {}", listening_[i].text());
  }
  if (next.change.same_admin && !next.admin) return closed;
  if (admin_listening_) close(*admin_listening_);
  admin_listening_ = std::move(next.admin);
  if (!admin_listening_) return closed;
  opened.push_back(&*admin_listening_);
  log_info("admin address: {}", admin_listening_->text());
  return closed;
}

void Sidecar::tell_workers(const std::vector<OpenAddress*>& opened,
                           const std::vector<std::uint64_t>& closed,
                           std::shared_ptr<front::AccessLog> old_log) {
  switches_.push_back({workers_.size(), std::move(old_log)});
  const auto under_way = std::prev(switches_.end());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    WorkerChange change{.setup = setup(), .opened = {}, .closed = closed};
    for (OpenAddress* const address : opened) change.opened.push_back(address->door(i));
    workers_[i]->use(std::move(change), [this, under_way] {
      loop_.post([this, under_way] {
        if (--under_way->workers_left > 0) return;
        switches_.erase(under_way);
        log_info("reloaded");
      });
    });
  }
}

}  // namespace weir
