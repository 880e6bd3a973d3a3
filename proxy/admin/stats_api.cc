#include "proxy/admin/stats_api.h"

#include <algorithm>
#include <array>
#include <string>

#include "proxy/policy/advice.h"

namespace weir::admin {
namespace {

using policy::Verdict;

constexpr double kPerMs = 1000;

std::size_t index_of(Verdict verdict) {
  return static_cast<std::size_t>(verdict);
}

std::uint64_t all_bytes(const metrics::RouteTotals& route) {
  std::uint64_t sum = 0;
  for (const std::uint64_t bytes : route.bytes) sum += bytes;
  return sum;
}

std::uint64_t all_requests(const metrics::RouteTotals& route) {
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : route.requests) sum += count;
  return sum;
}

std::uint64_t server_errors(const metrics::RouteTotals& route) {
  constexpr std::size_t k5xx = 5;
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : route.requests) {
    if (kind.status_class == k5xx) sum += count;
  }
  return sum;
}

Json route_figures(const metrics::RouteTotals& route) {
  Json out;
  out["requests"] = all_requests(route);
  out["hits"] = route.requests_of(Verdict::Hit);
  out["stale"] = route.requests_of(Verdict::Stale);
  out["misses"] = route.requests_of(Verdict::Miss);
  out["bypasses"] = route.requests_of(Verdict::Bypass);
  out["refused"] = route.requests_of(Verdict::None);
  out["errors_5xx"] = server_errors(route);
  out["bytes_sent"] = all_bytes(route);
  out["bytes_from_cache"] =
      route.bytes[index_of(Verdict::Hit)] + route.bytes[index_of(Verdict::Stale)];
  return out;
}

Json totals_of(const metrics::Totals& totals) {
  metrics::RouteTotals sum;
  for (const auto& [name, route] : totals.routes) {
    for (const auto& [kind, count] : route.requests) sum.requests[kind] += count;
    for (std::size_t i = 0; i < metrics::kVerdicts; ++i) sum.bytes[i] += route.bytes[i];
  }
  Json out = route_figures(sum);
  out["coalesced"] = totals.collapsed;
  return out;
}

Json latency_of(const metrics::Durations& durations) {
  Json out;
  out["count"] = durations.count();
  out["p50"] = durations.quantile_us(0.50) / kPerMs;
  out["p95"] = durations.quantile_us(0.95) / kPerMs;
  out["p99"] = durations.quantile_us(0.99) / kPerMs;
  out["counts"] = durations.classes;
  return out;
}

Json latencies_of(const metrics::Totals& totals) {
  Json bounds = Json::array();
  for (const std::int64_t bound_us : metrics::kDurationBounds_us) {
    bounds.push_back(static_cast<double>(bound_us) / kPerMs);
  }
  Json out;
  out["bounds"] = std::move(bounds);
  for (const Verdict verdict : {Verdict::Hit, Verdict::Stale, Verdict::Miss, Verdict::Bypass}) {
    out[std::string(policy::token(verdict))] = latency_of(totals.durations[index_of(verdict)]);
  }
  out["upstream"] = latency_of(totals.upstream);
  return out;
}

Json routes_of(const metrics::Totals& totals) {
  Json out = Json::array();
  for (const auto& [name, route] : totals.routes) {
    Json row;
    row["name"] = name;
    row.update(route_figures(route));
    out.push_back(std::move(row));
  }
  return out;
}

Json backends_of(const std::vector<BackendFigures>& backends) {
  Json out = Json::array();
  for (const BackendFigures& backend : backends) {
    const backends::BackendStats& stats = backend.stats;
    out.push_back({{"name", backend.name},
                   {"type", backend.type},
                   {"objects", stats.objects},
                   {"bytes", stats.bytes},
                   {"max_bytes", backend.max_bytes},
                   {"hits", stats.hits},
                   {"misses", stats.misses},
                   {"stores", stats.stores},
                   {"evictions", stats.evictions},
                   {"errors", stats.errors},
                   {"dropped", stats.dropped},
                   {"breaker", stats.breaker_open ? "open" : "closed"}});
  }
  return out;
}

Json connections_of(const Figures& figures) {
  return {{"clients", figures.clients},
          {"accepted", figures.totals.clients_accepted},
          {"refused", figures.totals.clients_refused},
          {"app",
           {{"open", figures.app.open},
            {"in_use", figures.app.in_use},
            {"most", figures.app.most},
            {"waiting", figures.app.waiting}}}};
}

// Null where the route is gone, or passes everything through.
const conf::CacheRule* rule_of(const conf::Config* config, const std::string& route) {
  if (config == nullptr) return nullptr;
  const auto found = std::ranges::find(config->routes, route, &conf::Route::name);
  return found != config->routes.end() && found->cache ? &*found->cache : nullptr;
}

Json reasons_of(const std::vector<metrics::ReasonCount>& reasons, const conf::Config* config) {
  Json out = Json::array();
  for (const metrics::ReasonCount& item : reasons) {
    const policy::Reason reason = policy::reason_of(item.detail);
    const policy::Advice advice =
        policy::advice_for({reason, item.subject}, rule_of(config, item.route), "/PATH/**");
    out.push_back({{"route", item.route},
                   {"detail", item.detail},
                   {"subject", item.subject},
                   {"count", item.count},
                   {"text", policy::text(reason)},
                   {"yaml", advice.yaml},
                   {"advice", advice.means}});
  }
  return out;
}

Json keys_of(const std::vector<metrics::KeyCount>& keys) {
  Json out = Json::array();
  for (const metrics::KeyCount& item : keys) {
    out.push_back({{"url", item.url}, {"count", item.count}});
  }
  return out;
}

}  // namespace

Json stats_of(const Figures& figures) {
  Json out;
  out["version"] = figures.version;
  out["revision"] = figures.revision;
  out["uptime_s"] = figures.uptime_s;
  out["totals"] = totals_of(figures.totals);
  out["latency_ms"] = latencies_of(figures.totals);
  out["routes"] = routes_of(figures.totals);
  out["backends"] = backends_of(figures.backends);
  out["flights"] = figures.flights;
  out["fill_memory"] = {{"bytes", figures.fill_bytes}, {"max_bytes", figures.fill_most_bytes}};
  out["connections"] = connections_of(figures);
  out["reasons"] = reasons_of(figures.totals.reasons, figures.config.get());
  out["keys"] = keys_of(figures.totals.keys);
  return out;
}

}  // namespace weir::admin
