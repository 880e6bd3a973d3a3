#include "proxy/make_site.h"

#include <map>
#include <vector>

#include "backends/ram/ram_backend.h"
#include "backends/tiered.h"

namespace weir {
namespace {

using TieredMap = std::map<std::vector<std::string>, std::shared_ptr<backends::Backend>>;

// Routes that name the same tiers share what is made of them.
std::shared_ptr<backends::Backend> tiers_as_one(const BackendMap& backends,
                                                const std::vector<std::string>& names,
                                                TieredMap& known) {
  std::shared_ptr<backends::Backend>& made = known[names];
  if (!made) {
    std::vector<std::shared_ptr<backends::Backend>> tiers;
    tiers.reserve(names.size());
    for (const std::string& name : names) tiers.push_back(backends.at(name));
    made = backends::make_tiered(std::move(tiers));
  }
  return made;
}

// The Host sent where a route says `hostname: false`: the same for every client.
std::string fixed_host(const conf::Upstream& upstream, const upstream::UpstreamPool& pool) {
  return upstream.host == conf::Upstream::Host::Fixed ? upstream.fixed_host : pool.own_host(0);
}

}  // namespace

std::shared_ptr<backends::Backend> make_ram(const conf::Backend& backend) {
  return backends::make_ram_backend({
      .name = backend.name,
      .max_size = backend.max_size,
      .threshold = backend.threshold,
      .max_object_size = backend.max_object_size,
      .default_expire_s = backend.default_expire_s,
  });
}

std::shared_ptr<const flow::Site> make_site(const std::shared_ptr<const conf::Config>& config,
                                            const upstream::UpstreamPool& pool,
                                            const BackendMap& backends) {
  TieredMap tiered;
  auto site = std::make_shared<flow::Site>(config);
  for (const conf::Route& route : config->routes) {
    flow::RouteRuntime runtime;
    runtime.route = &route;
    if (route.cache) {
      runtime.rule = &*route.cache;
      runtime.recipe = keys::compile_recipe(*route.cache, fixed_host(config->upstream, pool));
      runtime.backend = tiers_as_one(backends, route.cache->tiers, tiered);
    }
    site->routes.push_back(std::move(runtime));
  }
  for (const conf::Backend& backend : config->backends) {
    site->backends.push_back(backends.at(backend.name));
  }
  return site;
}

}  // namespace weir
