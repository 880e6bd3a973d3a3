#include "proxy/admin/figures.h"

namespace weir::admin {
namespace {

std::vector<BackendFigures> backends_of(const flow::Site& site) {
  std::vector<BackendFigures> out;
  for (std::size_t i = 0; i < site.backends.size(); ++i) {
    const conf::Backend& rule = site.config->backends[i];
    out.push_back({.name = rule.name,
                   .type = conf::name_of(rule.type),
                   .max_bytes = rule.max_size,
                   .stats = site.backends[i]->stats()});
  }
  return out;
}

}  // namespace

Figures figures_of(const Instance& instance, const flow::WorkerContext& worker) {
  constexpr double kPerSecond = 1000;
  const flow::Site& site = *worker.site->site;
  flow::SharedTables& tables = worker.tables;
  const std::int64_t up_ms = worker.loop.now_ms() - instance.started_ms;
  return {.version = instance.version,
          .revision = instance.revision,
          .uptime_s = static_cast<double>(up_ms) / kPerSecond,
          .started_wall_s = instance.started_wall_s,
          .totals = tables.counts.total(),
          .backends = backends_of(site),
          .flights = tables.flights.size(),
          .fill_bytes = tables.budget.used(),
          .fill_most_bytes = site.config->limits.fill_memory,
          .clients = instance.clients->count(),
          .app = worker.site->fetcher->connections(),
          .config = site.config};
}

}  // namespace weir::admin
