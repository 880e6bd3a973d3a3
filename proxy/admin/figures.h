// What there is to know of a running instance in figures, as of now: what /metrics and /v1/stats
// show, each in its own form. A value.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.h"
#include "proxy/flow/worker_context.h"
#include "proxy/front/open_clients.h"
#include "proxy/metrics/counts.h"
#include "proxy/upstream/fetcher.h"

namespace weir::admin {

// What calls tell of the process itself. What it points to outlives them.
struct Instance {
  const std::atomic<bool>* draining = nullptr;  // no more clients are taken
  const front::OpenClients* clients = nullptr;  // of the main address
  std::string_view version;                     // literals
  std::string_view revision;
  std::int64_t started_ms = 0;      // by the steady clock
  std::int64_t started_wall_s = 0;  // by the wall clock
};

struct BackendFigures {
  std::string name;
  std::string_view type;  // "ram", "disk"
  std::uint64_t max_bytes = 0;
  backends::BackendStats stats;
};

struct Figures {
  std::string_view version;
  std::string_view revision;
  double uptime_s = 0;
  std::int64_t started_wall_s = 0;
  metrics::Totals totals;
  std::vector<BackendFigures> backends;
  std::size_t flights = 0;
  std::uint64_t fill_bytes = 0;       // held by what is being fetched
  std::uint64_t fill_most_bytes = 0;  // limits.fill_memory
  std::size_t clients = 0;            // connected
  upstream::ConnectionFigures app;
  std::shared_ptr<const conf::Config> config;  // the one that is running; may be null
};

// On `worker`'s loop, which may be any.
Figures figures_of(const Instance& instance, const flow::WorkerContext& worker);

}  // namespace weir::admin
