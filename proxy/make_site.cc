#include "proxy/make_site.h"

#include <utility>

namespace weir {
namespace {

// The Host sent where a route says `hostname: false`: the same for every client.
std::string fixed_host(const conf::Upstream& upstream, const upstream::UpstreamPool& pool) {
  return upstream.host == conf::Upstream::Host::Fixed ? upstream.fixed_host : pool.own_host(0);
}

}  // namespace

std::shared_ptr<upstream::UpstreamPool> make_upstreams(const conf::Config& config) {
  return std::make_shared<upstream::UpstreamPool>(config.upstream, config.limits.response_headers);
}

backends::RamOptions ram_options(const conf::Backend& backend) {
  return {
      .name = backend.name,
      .max_size = backend.max_size,
      .threshold = backend.threshold,
      .max_object_size = backend.max_object_size,
      .default_expire_s = backend.default_expire_s,
  };
}

std::shared_ptr<const flow::Site> make_site(std::shared_ptr<const conf::Config> config,
                                            std::shared_ptr<upstream::UpstreamPool> upstreams,
                                            const BackendMap& backends, const AsOne& as_one) {
  auto site = std::make_shared<flow::Site>(std::move(config));
  const conf::Config& from = *site->config;
  const std::string host = fixed_host(from.upstream, *upstreams);
  for (const conf::Route& route : from.routes) {
    flow::RouteRuntime runtime;
    runtime.route = &route;
    if (route.cache) {
      runtime.rule = &*route.cache;
      runtime.recipe = keys::compile_recipe(*route.cache, host);
      std::vector<std::shared_ptr<backends::Backend>> tiers;
      for (const std::string& name : route.cache->tiers) tiers.push_back(backends.at(name));
      runtime.backend = as_one(std::move(tiers));
    }
    site->routes.push_back(std::move(runtime));
  }
  for (const conf::Backend& backend : from.backends) {
    site->backends.push_back(backends.at(backend.name));
  }
  site->upstreams = std::move(upstreams);
  return site;
}

}  // namespace weir
