#include "proxy/runtime.h"

#include <map>
#include <utility>
#include <vector>

#include "backends/ram/ram_backend.h"
#include "backends/tiered.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/random.h"

namespace weir {
namespace {

// Each waits for the medium most of the time.
constexpr std::size_t kExecutorThreads = 8;

using TieredMap = std::map<std::vector<std::string>, std::shared_ptr<backends::Backend>>;

backends::RamOptions ram_options(const conf::Backend& backend) {
  return {
      .name = backend.name,
      .max_size = backend.max_size,
      .threshold = backend.threshold,
      .max_object_size = backend.max_object_size,
      .default_expire_s = backend.default_expire_s,
  };
}

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

// The Host sent where a route says `hostname: false`: the same for every client.
std::string fixed_host(const conf::Upstream& upstream, const upstream::UpstreamPool& pool) {
  return upstream.host == conf::Upstream::Host::Fixed ? upstream.fixed_host : pool.own_host(0);
}

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::open(const std::shared_ptr<const conf::Config>& config) {
  std::unique_ptr<Runtime> out(new Runtime());
  if (const auto opened = out->open_backends(*config); !opened) {
    return std::unexpected(opened.error());
  }
  if (const auto opened = out->open_purge_book(config->limits.fill_memory); !opened) {
    return std::unexpected(opened.error());
  }
  out->site_ = make_site(config, out->backends_);
  return out;
}

Runtime::~Runtime() {
  // While there are disks that can be told that it failed.
  if (marks_) marks_->finish();
  site_ = nullptr;
  backends_.clear();
  disks_->clear();  // before the marks: each tells them when its folder is made anew
}

Result<void> Runtime::open_backends(const conf::Config& config) {
  for (const conf::Backend& backend : config.backends) {
    if (backend.type == conf::Backend::Type::Ram) {
      backends_[backend.name] = backends::make_ram_backend(ram_options(backend));
      continue;
    }
    auto opened = open_disk(backend);
    if (!opened) return std::unexpected(opened.error());
    backends_[backend.name] = std::move(*opened);
  }
  return {};
}

Result<std::shared_ptr<backends::Backend>> Runtime::open_disk(const conf::Backend& backend) {
  if (!executor_) executor_ = std::make_unique<ThreadPool>(kExecutorThreads);
  auto opened = backends::open_disk_backend(disk_options(backend),
                                            {system_files(), *executor_, system_clock()});
  if (!opened) {
    return fail(opened.error().code,
                "backend " + backend.name + ": " + std::move(opened.error().message));
  }
  std::shared_ptr<backends::Backend> out = opened->backend;
  disks_->add(std::move(*opened));
  return out;
}

// The book's marks lie with the first disk. What was stored under another book than this one, or
// where the marks cannot be read, is not known to have outlived what was purged since.
Result<void> Runtime::open_purge_book(std::uint64_t fill_memory) {
  std::uint64_t seed = random_number();
  if (!disks_->empty()) {
    auto marks = open_marks(disks_, seed, *executor_);
    if (!marks) return std::unexpected(marks.error());
    marks_ = std::move(*marks);
    seed = marks_->seed();
  }
  tables_ = std::make_unique<flow::SharedTables>(fill_memory, seed);
  if (!marks_) return {};
  for (const backends::OpenedDisk& disk : disks_->all()) {
    if (disk.use_book(seed) || disk.was_empty) continue;
    log_warn("backend {}: what was purged before is not known, so it begins empty",
             disk.backend->name());
  }
  marks_->load(tables_->purges);
  disks_->first().on_made_anew([marks = marks_.get()](std::shared_ptr<Folder> folder) {
    marks->move_to(std::move(folder));
  });
  return {};
}

std::shared_ptr<const flow::Site> Runtime::make_site(std::shared_ptr<const conf::Config> config,
                                                     const BackendMap& backends) {
  // Routes that name the same tiers share what is made of them.
  TieredMap tiered;
  const auto as_one = [&](const std::vector<std::string>& names) {
    std::shared_ptr<backends::Backend>& made = tiered[names];
    if (made) return made;
    std::vector<std::shared_ptr<backends::Backend>> tiers;
    tiers.reserve(names.size());
    for (const std::string& name : names) tiers.push_back(backends.at(name));
    return made = backends::make_tiered(std::move(tiers));
  };
  auto site = std::make_shared<flow::Site>(std::move(config));
  const conf::Config& from = *site->config;
  site->upstreams =
      std::make_shared<upstream::UpstreamPool>(from.upstream, from.limits.response_headers);
  const std::string host = fixed_host(from.upstream, *site->upstreams);
  for (const conf::Route& route : from.routes) {
    flow::RouteRuntime runtime;
    runtime.route = &route;
    if (route.cache) {
      runtime.rule = &*route.cache;
      runtime.recipe = keys::compile_recipe(*route.cache, host);
      runtime.backend = as_one(route.cache->tiers);
    }
    site->routes.push_back(std::move(runtime));
  }
  for (const conf::Backend& backend : from.backends) {
    site->backends.push_back(backends.at(backend.name));
  }
  return site;
}

void Runtime::tend() {
  if (!marks_) return;
  marks_->tend();
  disks_->tend();
}

}  // namespace weir
