// What one configuration amounts to at run time, and what outlives it. A Site is immutable and
// shared by all workers; the SharedTables lock for themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/backend.h"
#include "cachekeys/recipe.h"
#include "conf/config.h"
#include "proxy/flow/failure_log.h"
#include "proxy/flow/fill_budget.h"
#include "proxy/flow/fleets.h"
#include "proxy/flow/flight_table.h"
#include "proxy/flow/purge_book.h"
#include "proxy/flow/uncacheable.h"
#include "proxy/flow/variants.h"
#include "proxy/metrics/counts.h"
#include "proxy/route/router.h"
#include "proxy/upstream/fetcher.h"
#include "proxy/upstream/upstream_pool.h"

namespace weir::flow {

// A route, ready to use.
struct RouteRuntime {
  const conf::Route* route = nullptr;
  const conf::CacheRule* rule = nullptr;  // null: passed through
  keys::Recipe recipe;
  std::shared_ptr<backends::Backend> backend;  // its tiers as one
};

struct Site {
  explicit Site(std::shared_ptr<const conf::Config> from)
      : config(std::move(from)), router(config->routes) {}

  std::shared_ptr<const conf::Config> config;
  route::Router router;
  std::vector<RouteRuntime> routes;                          // parallel to config->routes
  std::vector<std::shared_ptr<backends::Backend>> backends;  // parallel to config->backends
  std::shared_ptr<upstream::UpstreamPool> upstreams;         // the app

  // Its index; nothing where there is none of this name.
  std::optional<std::size_t> backend_named(std::string_view name) const;
};

// A Site as one loop uses it, with its routes' backends attached there and its fetcher. Made on
// that loop's thread or before the loop runs; held by the worker and by its requests: make() has it
// go with the last of them, on that thread and outside of every call, since who drops it may be
// called by one of its stores.
class LoopSite {
 public:
  // `loop_counts`: that loop's; they outlive it, and go on under the next site.
  LoopSite(std::shared_ptr<const Site> from, EventLoop& loop, metrics::LoopCounts& loop_counts,
           std::shared_ptr<upstream::Fetcher> app);
  static std::shared_ptr<const LoopSite> make(std::shared_ptr<const Site> from, EventLoop& loop,
                                              metrics::LoopCounts& loop_counts,
                                              std::shared_ptr<upstream::Fetcher> app);
  LoopSite(const LoopSite&) = delete;
  LoopSite& operator=(const LoopSite&) = delete;

  // Of a route of this site that is cached.
  backends::Store& store_of(const RouteRuntime& route) const {
    return *stores[static_cast<std::size_t>(&route - site->routes.data())];
  }

  // Of one backend by itself, whatever tiers it belongs to; by its index in the site.
  backends::Store& store_of_backend(std::size_t index) const { return *of_backends_[index]; }

  // Where requests of a route of this site are counted.
  metrics::RouteCounts& counts_of(const RouteRuntime& route) const {
    return *counts_[static_cast<std::size_t>(&route - site->routes.data())];
  }

  const std::shared_ptr<const Site> site;
  const std::shared_ptr<upstream::Fetcher> fetcher;  // of site->upstreams; the next site's as well,
                                                     // where that has the same
  std::vector<backends::Store*> stores;              // parallel to site->routes; null: not cached

 private:
  std::vector<metrics::RouteCounts*> counts_;            // parallel to site->routes
  std::vector<backends::Store*> of_backends_;            // parallel to site->backends
  std::vector<std::unique_ptr<backends::Store>> owned_;  // one for each backend
};

// A disk without the purge book's marks, for it could not be used at the start, or failed when a
// reload took it out: purged pages that are on it may be served by a later process. Any thread.
class UnwrittenMarks {
 public:
  struct Disk {
    std::string backend;
    std::string why;  // empty: there is no such disk
  };

  void set(Disk disk) {
    const std::lock_guard lock(mutex_);
    disk_ = std::move(disk);
  }
  Disk get() const {
    const std::lock_guard lock(mutex_);
    return disk_;
  }

 private:
  mutable std::mutex mutex_;
  Disk disk_;  // guarded by mutex_
};

// Of the process; every worker uses the same.
struct SharedTables {
  // `purge_seed`: as in purge_book.h.
  SharedTables(std::uint64_t fill_memory, std::uint64_t purge_seed)
      : purges(purge_seed), budget(fill_memory) {}

  FlightTable flights;
  UncacheableMemory uncacheable{10'000, 120'000};
  // Stale copies whose successor could not be had or stored; not asked for again at every hit. The
  // reason is nobody's interest.
  UncacheableMemory failed_refreshes{1'000, 1'000};
  FailureLog app_failures{"no good answer from the app"};
  // What was admitted and could not be stored after all: a body of unknown length that outgrew the
  // store, or any where the store's medium failed.
  FailureLog store_failures{"an answer was not stored, by the backend"};
  VariantBook variants;
  PurgeBook purges;
  UnwrittenMarks unwritten;
  Fleets fleets{purges};
  FillBudget budget;
  metrics::Counts counts;
};

}  // namespace weir::flow
