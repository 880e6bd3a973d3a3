#include "proxy/admin/metrics_api.h"

#include <array>

#include "proxy/admin/exposition.h"

namespace weir::admin {
namespace {

using Kind = Exposition::Kind;
using policy::Verdict;

constexpr std::array<std::string_view, metrics::kStatusClasses> kStatusWords = {
    "none", "1xx", "2xx", "3xx", "4xx", "5xx"};

void add_process(Exposition& out, const Figures& figures) {
  out.family("weir_build_info", Kind::Gauge, "Which program this is; always 1.");
  out.sample({{"version", figures.version}, {"revision", figures.revision}}, std::uint64_t{1});
  out.family("process_start_time_seconds", Kind::Gauge,
             "When the process started, in seconds since 1970.");
  out.sample({}, static_cast<std::uint64_t>(figures.started_wall_s));
}

void add_requests(Exposition& out, const metrics::Totals& totals) {
  out.family("weir_requests_total", Kind::Counter,
             "Requests on the main address, counted when they have ended.");
  for (const auto& [route, of_route] : totals.routes) {
    for (const auto& [kind, count] : of_route.requests) {
      out.sample({{"route", route},
                  {"status", kStatusWords[kind.status_class]},
                  {"cache", policy::token(kind.verdict)},
                  {"detail", kind.detail}},
                 count);
    }
  }
  out.family("weir_response_body_bytes_total", Kind::Counter, "Bytes of bodies sent to clients.");
  for (const auto& [route, of_route] : totals.routes) {
    for (std::size_t i = 0; i < metrics::kVerdicts; ++i) {
      if (of_route.bytes[i] == 0) continue;
      out.sample({{"route", route}, {"cache", policy::token(static_cast<Verdict>(i))}},
                 of_route.bytes[i]);
    }
  }
  out.family("weir_coalesced_requests_total", Kind::Counter,
             "Requests that shared another's fetch.");
  out.sample({}, totals.collapsed);
}

void add_durations(Exposition& out, const metrics::Totals& totals) {
  out.family("weir_request_duration_seconds", Kind::Histogram,
             "From a request's head to its response's last byte handed to the system; not of "
             "tunnels and event streams.");
  for (std::size_t i = 0; i < metrics::kVerdicts; ++i) {
    out.sample({{"cache", policy::token(static_cast<Verdict>(i))}}, totals.durations[i]);
  }
  out.family("weir_upstream_duration_seconds", Kind::Histogram,
             "From a request being sent to the app until the head of its answer had come.");
  out.sample({}, totals.upstream);
}

void add_connections(Exposition& out, const Figures& figures) {
  out.family("weir_flights", Kind::Gauge, "Fetches in progress that requests may share.");
  out.sample({}, std::uint64_t{figures.flights});
  out.family("weir_fill_memory_bytes", Kind::Gauge, "Held by responses that are being fetched.");
  out.sample({}, figures.fill_bytes);
  out.family("weir_fill_memory_limit_bytes", Kind::Gauge, "limits.fill_memory.");
  out.sample({}, figures.fill_most_bytes);
  out.family("weir_client_connections", Kind::Gauge, "Clients connected to the main address.");
  out.sample({}, std::uint64_t{figures.clients});
  out.family("weir_client_connections_accepted_total", Kind::Counter, "Clients taken in.");
  out.sample({}, figures.totals.clients_accepted);
  out.family("weir_client_connections_refused_total", Kind::Counter,
             "Clients turned away beyond limits.connections.");
  out.sample({}, figures.totals.clients_refused);
  out.family("weir_upstream_connections", Kind::Gauge,
             "Connections to the app, idle ones included.");
  out.sample({}, std::uint64_t{figures.app.open});
  out.family("weir_upstream_connections_in_use", Kind::Gauge,
             "Of upstream.max_connections, how many are taken.");
  out.sample({}, std::uint64_t{figures.app.in_use});
  out.family("weir_upstream_connections_limit", Kind::Gauge, "upstream.max_connections.");
  out.sample({}, std::uint64_t{figures.app.most});
  out.family("weir_upstream_waiting_requests", Kind::Gauge,
             "Requests that wait for a connection to the app.");
  out.sample({}, std::uint64_t{figures.app.waiting});
}

struct BackendFamily {
  std::string_view name;
  Kind kind;
  std::string_view help;
  std::uint64_t (*value)(const BackendFigures&);
};

constexpr std::array kBackendFamilies = {
    BackendFamily{"weir_backend_objects", Kind::Gauge, "Objects stored.",
                  [](const BackendFigures& b) { return b.stats.objects; }},
    BackendFamily{"weir_backend_bytes", Kind::Gauge, "Bytes in use, overhead included.",
                  [](const BackendFigures& b) { return b.stats.bytes; }},
    BackendFamily{"weir_backend_limit_bytes", Kind::Gauge, "max_size.",
                  [](const BackendFigures& b) { return b.max_bytes; }},
    BackendFamily{"weir_backend_hits_total", Kind::Counter, "Look-ups that found an object.",
                  [](const BackendFigures& b) { return b.stats.hits; }},
    BackendFamily{"weir_backend_misses_total", Kind::Counter, "Look-ups that found none.",
                  [](const BackendFigures& b) { return b.stats.misses; }},
    BackendFamily{"weir_backend_stores_total", Kind::Counter, "Objects stored so far.",
                  [](const BackendFigures& b) { return b.stats.stores; }},
    BackendFamily{"weir_backend_evictions_total", Kind::Counter,
                  "Objects that made room for others.",
                  [](const BackendFigures& b) { return b.stats.evictions; }},
    BackendFamily{"weir_backend_errors_total", Kind::Counter,
                  "Reads and writes that the medium failed.",
                  [](const BackendFigures& b) { return b.stats.errors; }},
    BackendFamily{"weir_backend_dropped_writes_total", Kind::Counter,
                  "Objects not stored, since the medium was too slow for them.",
                  [](const BackendFigures& b) { return b.stats.dropped; }},
    BackendFamily{"weir_backend_breaker_open", Kind::Gauge,
                  "1 while the medium fails and is only tried from time to time.",
                  [](const BackendFigures& b) { return std::uint64_t{b.stats.breaker_open}; }},
};

void add_backends(Exposition& out, const Figures& figures) {
  for (const BackendFamily& family : kBackendFamilies) {
    out.family(family.name, family.kind, family.help);
    for (const BackendFigures& backend : figures.backends) {
      out.sample({{"backend", backend.name}}, family.value(backend));
    }
  }
}

}  // namespace

std::string exposition_of(const Figures& figures) {
  Exposition out;
  add_process(out, figures);
  add_requests(out, figures.totals);
  add_durations(out, figures.totals);
  add_connections(out, figures);
  add_backends(out, figures);
  return out.text();
}

}  // namespace weir::admin
