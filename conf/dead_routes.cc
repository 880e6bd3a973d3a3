// Warnings of routes that can never match. Only what is certain is said.

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "conf/patterns.h"
#include "conf/readers.h"

namespace weir::conf {
namespace {

using Group = std::vector<Matcher>;

// Every pair of patterns is compared, byte by byte; beyond this it would take noticeable time.
constexpr std::size_t kMaxPatternBytes = 48 * 1024;

bool group_covers(const Group& wide, const Group& narrow) {
  return std::all_of(narrow.begin(), narrow.end(), [&](const Matcher& inner) {
    return std::any_of(wide.begin(), wide.end(),
                       [&](const Matcher& outer) { return matcher_covers(outer, inner); });
  });
}

// Each condition of `earlier` must follow from one of `later`'s.
bool route_covers(const Route& earlier, const Route& later) {
  return std::all_of(earlier.all_of.begin(), earlier.all_of.end(), [&](const Group& wide) {
    return std::any_of(later.all_of.begin(), later.all_of.end(),
                       [&](const Group& narrow) { return group_covers(wide, narrow); });
  });
}

bool groups_disjoint(const Group& a, const Group& b) {
  return std::all_of(a.begin(), a.end(), [&](const Matcher& one) {
    return std::all_of(b.begin(), b.end(), [&](const Matcher& other) {
      return !one.path.empty() && !other.path.empty() && paths_disjoint(one.path, other.path);
    });
  });
}

// The module's group that leaves nothing of the route's own, or null.
const Group* shut_out_by(const Route& route) {
  if (route.all_of.size() < 2) return nullptr;
  const Group& own = route.all_of.back();
  for (auto group = route.all_of.begin(); group + 1 != route.all_of.end(); ++group) {
    if (groups_disjoint(*group, own)) return &*group;
  }
  return nullptr;
}

std::size_t pattern_bytes(const std::vector<ReadRoute>& routes) {
  std::size_t bytes = 0;
  for (const ReadRoute& route : routes) {
    for (const Group& group : route.route.all_of) {
      for (const Matcher& matcher : group) bytes += matcher.path.size() + matcher.host.size() + 16;
    }
  }
  return bytes;
}

void warn(Reading& reading, const ReadRoute& route, std::string message) {
  reading.add_warning({route.route.source.line, route.route.source.column}, route.path,
                      std::move(message));
}

}  // namespace

void warn_of_dead_routes(Reading& reading, const std::vector<ReadRoute>& routes) {
  if (pattern_bytes(routes) > kMaxPatternBytes) return;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    if (const Group* module = shut_out_by(routes[i].route)) {
      warn(reading, routes[i],
           fmt::format("can never match: it lies outside its module's {}",
                       quote(module->front().path)));
      continue;
    }
    const auto end = routes.begin() + static_cast<std::ptrdiff_t>(i);
    const auto earlier = std::find_if(routes.begin(), end, [&](const ReadRoute& other) {
      return route_covers(other.route, routes[i].route);
    });
    if (earlier == end) continue;
    warn(reading, routes[i],
         fmt::format("can never match: {} ({}, line {}) comes first and takes all of it",
                     earlier->path, quote(earlier->route.name), earlier->route.source.line));
  }
}

}  // namespace weir::conf
