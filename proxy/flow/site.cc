#include "proxy/flow/site.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace weir::flow {

std::optional<std::size_t> Site::backend_named(std::string_view name) const {
  const auto found = std::ranges::find(config->backends, name, &conf::Backend::name);
  if (found == config->backends.end()) return std::nullopt;
  return static_cast<std::size_t>(found - config->backends.begin());
}

std::shared_ptr<const LoopSite> LoopSite::make(std::shared_ptr<const Site> from, EventLoop& loop,
                                               metrics::LoopCounts& loop_counts,
                                               std::shared_ptr<upstream::Fetcher> app) {
  auto made = std::make_unique<const LoopSite>(std::move(from), loop, loop_counts, std::move(app));
  return {made.release(), [&loop](const LoopSite* site) {
            loop.post([gone = std::unique_ptr<const LoopSite>(site)]() mutable { gone.reset(); });
          }};
}

LoopSite::LoopSite(std::shared_ptr<const Site> from, EventLoop& loop,
                   metrics::LoopCounts& loop_counts, std::shared_ptr<upstream::Fetcher> app)
    : site(std::move(from)), fetcher(std::move(app)) {
  std::unordered_map<backends::Backend*, backends::Store*> attached;
  const auto attach = [&](backends::Backend* backend) {
    backends::Store*& store = attached[backend];
    if (backend && !store) store = owned_.emplace_back(backend->attach(loop)).get();
    return store;
  };
  for (const RouteRuntime& route : site->routes) {
    stores.push_back(attach(route.backend.get()));
    counts_.push_back(&loop_counts.of_route(route.route->name));
  }
  for (const auto& backend : site->backends) of_backends_.push_back(attach(backend.get()));
}

}  // namespace weir::flow
