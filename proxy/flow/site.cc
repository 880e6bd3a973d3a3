#include "proxy/flow/site.h"

#include <unordered_map>
#include <utility>

namespace weir::flow {

LoopSite::LoopSite(std::shared_ptr<const Site> from, EventLoop& loop) : site(std::move(from)) {
  std::unordered_map<backends::Backend*, backends::Store*> attached;
  for (const RouteRuntime& route : site->routes) {
    backends::Backend* const backend = route.backend.get();
    backends::Store*& store = attached[backend];
    if (backend && !store) store = owned_.emplace_back(backend->attach(loop)).get();
    stores.push_back(store);
  }
}

}  // namespace weir::flow
