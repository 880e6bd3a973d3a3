// A site for tests of the flow: some routes over one backend, made without a configuration file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/ram/ram_backend.h"
#include "proxy/flow/site.h"

namespace weir::flow {

struct TestRoute {
  std::string path;
  bool cached = true;
  conf::CacheRule rule = {};
};

inline std::shared_ptr<const Site> site_of(
    const std::vector<TestRoute>& routes,
    const std::shared_ptr<backends::Backend>& backend = backends::make_ram_backend({})) {
  auto config = std::make_shared<conf::Config>();
  for (const TestRoute& wanted : routes) {
    conf::Route route;
    route.name = wanted.path;
    route.all_of = {{conf::Matcher{.path = wanted.path, .regex = {}, .host = {}, .methods = {}}}};
    if (wanted.cached) {
      route.cache = wanted.rule;
      route.cache->tiers = {"ram"};
    }
    config->routes.push_back(std::move(route));
  }
  auto site = std::make_shared<Site>(config);
  for (const conf::Route& route : config->routes) {
    RouteRuntime runtime;
    runtime.route = &route;
    if (route.cache) {
      runtime.rule = &*route.cache;
      runtime.recipe = keys::compile_recipe(*route.cache, "app.test");
      runtime.backend = backend;
    }
    site->routes.push_back(std::move(runtime));
  }
  return site;
}

}  // namespace weir::flow
