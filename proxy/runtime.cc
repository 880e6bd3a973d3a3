#include "proxy/runtime.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "backends/absent.h"
#include "backends/redis/redis_backend.h"
#include "backends/tiered.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/random.h"
#include "proxy/make_site.h"

namespace weir {
namespace {

// Each waits for the medium most of the time.
constexpr std::size_t kExecutorThreads = 8;

backends::DiskOptions disk_options(const conf::Backend& backend) {
  return {
      .name = backend.name,
      .cache_dir = backend.cache_dir,
      .max_size = backend.max_size,
      .threshold = backend.threshold,
      .min_free_bytes = backend.min_free_bytes,
      .min_free_percent = backend.min_free_percent,
      .max_object_size = backend.max_object_size,
      .default_expire_s = backend.default_expire_s,
  };
}

std::shared_ptr<backends::Backend> absent_backend(const conf::Backend& backend) {
  return backends::make_absent_backend(backend.name, backend.max_object_size,
                                       backend.default_expire_s);
}

Result<backends::redis::Topology> topology_of(const conf::Backend& backend) {
  using Topology = backends::redis::Topology;
  Topology out{.place = {
                   .host = backend.host,
                   .port = backend.port,
                   .unix_path = backend.unix_path,
                   .username = backend.username,
                   .password = backend.password,
                   .db = backend.db,
               }};
  if (!backend.nodes.empty()) out.kind = Topology::Kind::Cluster;
  if (!backend.sentinels.empty()) out.kind = Topology::Kind::Sentinels;
  for (const auto* const servers : {&backend.nodes, &backend.sentinels}) {
    for (const conf::Backend::Server& one : *servers) out.seeds.push_back({one.host, one.port});
  }
  out.master = backend.master;
  if (!backend.tls.is_on) return out;
  auto tls = TlsContext::client(
      {.ca_file = backend.tls.ca, .cert_file = backend.tls.cert, .key_file = backend.tls.key});
  if (!tls) return std::unexpected(tls.error());
  out.place.tls = std::move(*tls);
  out.place.tls_name = backend.tls.name;
  return out;
}

}  // namespace

// Those that have a fleet last: it tells what was purged, which the book knows.
Result<std::unique_ptr<Runtime>> Runtime::open(const std::shared_ptr<const conf::Config>& config,
                                               EventLoop& loop) {
  std::unique_ptr<Runtime> out(new Runtime(loop));
  for (const conf::Backend& backend : config->backends) {
    if (conf::is_redis(backend)) continue;
    Result<Opened> opened = out->open_backend(backend);
    if (!opened && opened.error().code == ErrorCode::Unavailable) {
      opened = without(backend, opened.error().message);
    }
    if (!opened) return std::unexpected(opened.error());
    out->backends_[backend.name] = std::move(*opened);
  }
  out->disks_->set(out->disks_of(*config));
  out->open_purge_book(*config);
  for (const conf::Backend& backend : config->backends) {
    if (!conf::is_redis(backend)) continue;
    Result<Opened> opened = out->open_backend(backend);
    if (!opened) return std::unexpected(opened.error());
    out->backends_[backend.name] = std::move(*opened);
  }
  out->site_ = out->site_of(config, make_upstreams(*config), out->backends_);
  return out;
}

Runtime::~Runtime() {
  // While there are disks that can be told that it failed.
  if (marks_) marks_->finish();
  site_ = nullptr;
  backends_.clear();
  leaving_.clear();
  disks_->set({});  // before the marks: each tells them when its folder is made anew
}

Executor& Runtime::executor() {
  if (!executor_) executor_ = std::make_unique<ThreadPool>(kExecutorThreads);
  return *executor_;
}

Result<Runtime::Opened> Runtime::open_redis(const conf::Backend& backend) {
  const Result<backends::redis::Topology> servers = topology_of(backend);
  if (!servers) {
    return fail(servers.error().code, "backend " + backend.name + ": " + servers.error().message);
  }
  if (!resolver_) {
    naming_ = std::make_unique<ThreadPool>(1);
    resolver_ = make_system_resolver(*naming_);
  }
  Opened out;
  out.fleet = tables_->fleets.join(
      loop_, *resolver_, {.servers = *servers, .prefix = backend.prefix, .backend = backend.name});
  if (const auto before = backends_.find(backend.name);
      before != backends_.end() && before->second.fleet) {
    out.fleet->take_over(*before->second.fleet);
  }
  backends::RedisOptions options{.name = backend.name,
                                 .servers = *servers,
                                 .prefix = backend.prefix,
                                 .default_expire_s = backend.default_expire_s,
                                 .timeout_ms = backend.timeout_ms,
                                 .keep_s = backend.keep_s,
                                 .max_object_size = backend.max_object_size,
                                 .drops_when_cut_off = backend.drops_when_cut_off};
  out.backend = backends::make_redis_backend(options, {*resolver_, out.fleet->positions()});
  return out;
}

Result<Runtime::Opened> Runtime::open_backend(const conf::Backend& backend) {
  Opened out;
  if (conf::is_redis(backend)) return open_redis(backend);
  if (!conf::is_disk(backend)) {
    out.backend = out.ram = backends::make_ram_backend(ram_options(backend));
    return out;
  }
  auto disk = backends::open_disk_backend(disk_options(backend),
                                          {system_files(), executor(), system_clock()});
  if (!disk) {
    return fail(disk.error().code, "backend " + backend.name + ": " + disk.error().message);
  }
  out.backend = disk->backend;
  out.disk = std::move(*disk);
  return out;
}

// A start goes on without a disk that cannot be used; a reload is refused.
Runtime::Opened Runtime::without(const conf::Backend& backend, std::string why) {
  log_error("{}; Weir goes on without it until it is started again", why);
  Opened out;
  out.backend = absent_backend(backend);
  out.why_absent = std::move(why);
  return out;
}

// ---- the purge book ----

std::vector<backends::OpenedDisk> Runtime::disks_of(const conf::Config& config) const {
  std::vector<backends::OpenedDisk> out;
  for (const conf::Backend& backend : config.backends) {
    if (!conf::is_disk(backend)) continue;
    const Opened& opened = backends_.at(backend.name);
    if (opened.disk) out.push_back(*opened.disk);
  }
  return out;
}

// The book's marks lie with the first disk. One whose marks cannot be opened is done without.
void Runtime::open_purge_book(const conf::Config& config) {
  book_ = random_number();
  while (!disks_->empty() && !marks_) {
    auto marks = open_marks(disks_->first(), disks_, book_, false, *executor_);
    if (marks) {
      marks_ = std::move(*marks);
      book_ = marks_->seed();
      continue;
    }
    const std::string name = disks_->first().backend->name();
    const auto medium = std::ranges::find(config.backends, name, &conf::Backend::name);
    backends_[name] = without(*medium, "backend " + name + ": " + marks.error().message);
    disks_->set(disks_of(config));
  }
  tables_ = std::make_unique<flow::SharedTables>(config.limits.fill_memory, book_);
  believe(disks_->all());
  if (marks_) keep_marks_in(disks_->first());
  tell_where_marks_are_missing(config);
}

// Of the configuration's first disk: the next process looks for them there, and by them knows what
// it may use of that disk. Of any other disk it uses only what was stored under the same marks.
void Runtime::tell_where_marks_are_missing(const conf::Config& config) {
  const auto first = std::ranges::find_if(config.backends, conf::is_disk);
  if (first == config.backends.end()) return;
  tables_->unwritten.set({first->name, backends_.at(first->name).why_absent});
}

// What was stored under another book than this one, or where the marks cannot be read, is not known
// to have outlived what was purged since.
void Runtime::believe(const std::vector<backends::OpenedDisk>& disks) const {
  for (const backends::OpenedDisk& disk : disks) {
    if (disk.use_book(book_) || disk.was_empty) continue;
    log_warn("backend {}: what was purged before is not known, so it begins empty",
             disk.backend->name());
  }
}

void Runtime::keep_marks_in(const backends::OpenedDisk& first) {
  disks_->doubt(false);  // of an earlier file, if there was one
  marks_->load(tables_->purges);
  first.on_made_anew([marks = marks_.get()](std::shared_ptr<Folder> folder) {
    marks->move_to(std::move(folder));
  });
}

// ---- the site ----

std::shared_ptr<const flow::Site> Runtime::site_of(
    std::shared_ptr<const conf::Config> config, std::shared_ptr<upstream::UpstreamPool> upstreams,
    const ByName& backends) {
  BackendMap named;
  for (const auto& [name, opened] : backends) named[name] = opened.backend;
  return make_site(std::move(config), std::move(upstreams), named,
                   [this](auto tiers) { return as_one(std::move(tiers)); });
}

std::shared_ptr<backends::Backend> Runtime::as_one(
    std::vector<std::shared_ptr<backends::Backend>> tiers) {
  std::erase_if(tiered_, [](const auto& known) { return known.second.expired(); });
  std::vector<const backends::Backend*> key;
  key.reserve(tiers.size());
  for (const auto& tier : tiers) key.push_back(tier.get());
  std::weak_ptr<backends::Backend>& known = tiered_[key];
  std::shared_ptr<backends::Backend> out = known.lock();
  if (!out) known = out = backends::make_tiered(std::move(tiers));
  return out;
}

// ---- another configuration ----

// While one of them cannot be used: which disk has the book's marks was decided at the start, from
// those that could be used, and a reload must not decide it anew.
Result<void> Runtime::expect_same_disks(const conf::Config& config,
                                        const ConfigChange& change) const {
  const auto absent = std::ranges::find_if(
      backends_, [](const auto& one) { return !one.second.why_absent.empty(); });
  if (absent == backends_.end()) return {};
  const auto& now = site_->config->backends;
  bool is_other = std::ranges::any_of(change.closed,
                                      [&](std::size_t index) { return conf::is_disk(now[index]); });
  for (std::size_t i = 0; i < config.backends.size(); ++i) {
    const bool opens = change.backends[i] == BackendChange::Opened;
    is_other = is_other || (opens && conf::is_disk(config.backends[i]));
  }
  if (!is_other) return {};
  return fail(
      ErrorCode::Invalid,
      "backends: Weir was started without one of its disks, so no disk can be added, removed "
      "or replaced by a reload: restart (" +
          absent->second.why_absent + ")");
}

Result<Runtime::Next> Runtime::prepare(std::shared_ptr<const conf::Config> config,
                                       const ConfigChange& change) {
  if (const auto same = expect_same_disks(*config, change); !same) {
    return std::unexpected(same.error());
  }
  Next next;
  next.change_ = change;
  for (std::size_t i = 0; i < config->backends.size(); ++i) {
    const conf::Backend& backend = config->backends[i];
    if (change.backends[i] != BackendChange::Opened) {
      const Opened& opened = backends_.at(backend.name);
      next.backends_[backend.name] = opened;
      if (opened.why_absent.empty() || change.backends[i] != BackendChange::Resized) continue;
      next.backends_[backend.name].backend = absent_backend(backend);
      continue;
    }
    const auto still_there = std::ranges::find(leaving_, backend.cache_dir, &Leaving::cache_dir);
    if (conf::is_disk(backend) && still_there != leaving_.end()) {
      return fail(ErrorCode::InUse,
                  "backend " + backend.name + ": cache_dir " + backend.cache_dir +
                      " is in use by requests that began before an earlier reload: reload again "
                      "when they have ended");
    }
    Result<Opened> opened = open_backend(backend);
    if (!opened) return std::unexpected(opened.error());
    next.backends_[backend.name] = std::move(*opened);
  }
  const auto first = std::ranges::find_if(config->backends, [&](const conf::Backend& backend) {
    return next.backends_.at(backend.name).disk.has_value();
  });
  if (first != config->backends.end() && !marks_) {
    auto marks = open_marks(*next.backends_.at(first->name).disk, disks_, book_, true, *executor_);
    if (!marks) return std::unexpected(marks.error());
    next.marks_ = std::move(*marks);
  }
  auto upstreams = change.same_upstream ? site_->upstreams : make_upstreams(*config);
  next.site_ = site_of(std::move(config), std::move(upstreams), next.backends_);
  return next;
}

void Runtime::use(Next next) {
  const std::shared_ptr<const flow::Site> before = std::exchange(site_, std::move(next.site_));
  const std::vector<conf::Backend>& configured = site_->config->backends;
  const bool no_disk = std::ranges::none_of(configured, conf::is_disk);
  for (const std::size_t index : next.change_.closed) {
    const conf::Backend& gone = before->config->backends[index];
    let_go(gone, no_disk && conf::is_disk(gone));
  }
  backends_ = std::move(next.backends_);
  std::vector<backends::OpenedDisk> new_disks;
  for (std::size_t i = 0; i < configured.size(); ++i) {
    const BackendChange change = next.change_.backends[i];
    if (change == BackendChange::Resized) resize(configured[i]);
    const Opened& opened = backends_.at(configured[i].name);
    if (change == BackendChange::Opened && opened.disk) new_disks.push_back(*opened.disk);
  }
  disks_->set(disks_of(*site_->config));
  believe(new_disks);
  if (next.marks_) {
    marks_ = std::move(next.marks_);
    keep_marks_in(disks_->first());
    // It is back, with all marks.
    const bool is_it = tables_->unwritten.get().backend == disks_->first().backend->name();
    if (is_it) tables_->unwritten.set({});
  }
  tables_->budget.set_limit(site_->config->limits.fill_memory);
}

void Runtime::resize(const conf::Backend& backend) {
  const Opened& opened = backends_.at(backend.name);
  if (opened.ram) opened.ram->resize(ram_options(backend));
  if (!opened.disk) return;
  opened.disk->resize(disk_options(backend));
  const bool has_marks = disks_->first().backend == opened.backend;
  if (has_marks) marks_->limit(backends::most_kept_free(backend.max_size));
}

// `with_marks`: there is no disk any more whose book it would be.
void Runtime::let_go(const conf::Backend& backend, bool with_marks) {
  Leaving leaving;
  const Opened& opened = backends_.at(backend.name);
  leaving.backend = opened.backend;
  leaving.fleet = opened.fleet;
  if (leaving.fleet) leaving.fleet->retire();
  leaving.cache_dir = conf::is_disk(backend) ? backend.cache_dir : "";
  if (with_marks && marks_) {
    const Result<void> gone = marks_->part_from_book();
    if (!gone) {
      disks_->doubt(true);  // or a later run would believe marks that are not all
      tables_->unwritten.set(
          {backend.name, "backend " + backend.name + ": " + gone.error().message});
    }
    leaving.marks = std::move(marks_);
  }
  leaving_.push_back(std::move(leaving));
}

void Runtime::leave_fleets() {
  for (auto& [name, opened] : backends_) {
    if (opened.fleet) opened.fleet->leave();
  }
}

void Runtime::tend() {
  if (marks_) marks_->tend();
  disks_->tend();
  // Here, since a disk waits for what is to be written, and the memory of many objects is given
  // back one by one: no loop has the time for it.
  for (Leaving& leaving : leaving_) {
    if (leaving.backend.use_count() > 1) continue;
    const std::string name = leaving.backend->name();
    leaving.backend = nullptr;
    leaving.marks = nullptr;
    leaving.fleet = nullptr;
    log_info("backend {}: closed", name);
  }
  std::erase_if(leaving_, [](const Leaving& leaving) { return !leaving.backend; });
}

}  // namespace weir
