#include "proxy/admin/calls.h"

#include "proxy/admin/config_json.h"
#include "proxy/admin/explain_api.h"
#include "proxy/admin/purge_api.h"

namespace weir::admin {
namespace {

constexpr std::size_t kMostPurgeBody = std::size_t{64} * 1024;
constexpr std::size_t kMostExplainBody = std::size_t{256} * 1024;  // a request's head, as JSON

Reply text(int status, std::string body) {
  return {.status = status, .type = "text/plain; charset=utf-8", .body = std::move(body)};
}

}  // namespace

std::vector<Call> make_calls(const std::atomic<bool>& draining) {
  std::vector<Call> calls;
  calls.push_back({.path = "/healthz",
                   .is_open = true,
                   .run = [](const Request&, const Asker&, flow::WorkerContext&) {
                     return text(200, "ok\n");
                   }});
  calls.push_back({.path = "/readyz",
                   .is_open = true,
                   .run = [&draining](const Request&, const Asker&, flow::WorkerContext&) {
                     return draining.load() ? text(503, "draining\n") : text(200, "ready\n");
                   }});
  calls.push_back({.method = http::Method::Post,
                   .path = "/v1/purge",
                   .max_body = kMostPurgeBody,
                   .run = purge});
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
