// Warnings of routes whose pages lie in a Redis server that others may use as well.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "base/text.h"
#include "conf/readers.h"

namespace weir::conf {
namespace {

constexpr std::string_view kUsualPrefix = "cache:";

// The first tier of the route that is of Redis; null: none is.
const Backend* redis_of(const CacheRule& rule, const Config& config) {
  for (const std::string& tier : rule.tiers) {
    const auto found = std::ranges::find(config.backends, tier, &Backend::name);
    if (found != config.backends.end() && is_redis(*found)) return &*found;
  }
  return nullptr;
}

std::vector<std::string> complaints(const CacheRule& rule, const Config& config) {
  std::vector<std::string> out;
  const Backend* const redis = redis_of(rule, config);
  if (redis && !rule.hostname && redis->prefix == kUsualPrefix) {
    out.push_back(fmt::format(
        "hostname is false, and backend {} has the usual prefix {}: another app on that server "
        "with both would share its pages (give each app a prefix of its own)",
        redis->name, quote(kUsualPrefix)));
  }
  if (!redis && rule.coalesce == Coalesce::Fleet) {
    out.push_back(fmt::format(
        "coalesce is fleet, and none of {} is a Redis backend: instances do not hear of each "
        "other, and it is as instance",
        fmt::join(rule.tiers, ", ")));
  }
  return out;
}

}  // namespace

void warn_of_shared_servers(Reading& reading, const std::vector<ReadRoute>& routes,
                            const Config& config) {
  std::set<std::string> said;  // by many routes alike, when `defaults:` says so
  for (const ReadRoute& route : routes) {
    if (!route.route.cache) continue;
    for (std::string& complaint : complaints(*route.route.cache, config)) {
      if (!said.insert(complaint).second) continue;
      reading.add_warning({route.route.source.line, route.route.source.column}, route.path,
                          std::move(complaint));
    }
  }
}

}  // namespace weir::conf
