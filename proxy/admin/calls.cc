#include "proxy/admin/calls.h"

#include <utility>

#include "proxy/admin/config_json.h"
#include "proxy/admin/dashboard_page.h"
#include "proxy/admin/explain_api.h"
#include "proxy/admin/json.h"
#include "proxy/admin/metrics_api.h"
#include "proxy/admin/purge_api.h"
#include "proxy/admin/stats_api.h"

namespace weir::admin {
namespace {

constexpr std::size_t kMostPurgeBody = std::size_t{64} * 1024;
constexpr std::size_t kMostExplainBody = std::size_t{256} * 1024;  // a request's head, as JSON

// What a balancer asks that is to send nobody to an instance without an app: `?app=1`.
bool asks_for_app(std::string_view query) {
  return query == "app=1" || query.starts_with("app=1&") || query.ends_with("&app=1") ||
         query.contains("&app=1&");
}

Reply text(int status, std::string body) {
  return {.status = status, .type = "text/plain; charset=utf-8", .body = std::move(body)};
}

std::optional<Reply> readyz(bool draining, const Request& request, Asker asker,
                            flow::WorkerContext& worker) {
  if (draining) return text(503, "draining\n");
  if (!asks_for_app(request.query)) return text(200, "ready\n");
  worker.site->fetcher->reach([asker = std::move(asker)](const Result<void>& reached) mutable {
    asker.answer(reached ? text(200, "ready\n") : text(503, reached.error().message + "\n"));
  });
  return std::nullopt;
}

// The figures, as the text format of its version 0.0.4.
Call metrics_call(const Instance& instance) {
  return {.path = "/metrics",
          .is_open = true,
          .run = [instance](const Request&, const Asker&, flow::WorkerContext& worker) {
            return Reply{.type = "text/plain; version=0.0.4; charset=utf-8",
                         .body = exposition_of(figures_of(instance, worker))};
          }};
}

Call stats_call(const Instance& instance) {
  return {.path = "/v1/stats",
          .run = [instance](const Request&, const Asker&, flow::WorkerContext& worker) {
            Figures figures = figures_of(instance, worker);
            worker.tables.counts.add_top(figures.totals);
            return Reply{.body = text_of(stats_of(figures))};
          }};
}

}  // namespace

std::vector<Call> make_calls(const Instance& instance, values::LeaseTable& leases) {
  std::vector<Call> calls;
  // Open: there is nothing in the page, and a browser that is sent to it has no token to send. What
  // the page asks for needs it.
  calls.push_back(
      {.path = "/", .is_open = true, .run = [](const Request&, const Asker&, flow::WorkerContext&) {
         return dashboard();
       }});
  calls.push_back({.path = "/healthz",
                   .is_open = true,
                   .run = [](const Request&, const Asker&, flow::WorkerContext&) {
                     return text(200, "ok\n");
                   }});
  calls.push_back({.path = "/readyz",
                   .is_open = true,
                   .run = [draining = instance.draining](const Request& request, Asker asker,
                                                         flow::WorkerContext& worker) {
                     return readyz(draining->load(), request, std::move(asker), worker);
                   }});
  calls.push_back(metrics_call(instance));
  calls.push_back(stats_call(instance));
  calls.push_back(
      {.method = http::Method::Post,
       .path = "/v1/purge",
       .max_body = kMostPurgeBody,
       .run = [&leases](const Request& request, Asker asker, flow::WorkerContext& worker) {
         return purge(request, std::move(asker), worker, leases);
       }});
  calls.push_back({.method = http::Method::Post,
                   .path = "/v1/explain",
                   .max_body = kMostExplainBody,
                   .run = explain});
  calls.push_back(
      {.path = "/v1/config", .run = [](const Request&, const Asker&, flow::WorkerContext& worker) {
         return Reply{.body = text_of(config_json(*worker.site->site->config))};
       }});
  return calls;
}

}  // namespace weir::admin
