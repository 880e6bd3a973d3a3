// From a request to its route. Immutable, any thread; made once per configuration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/message.h"
#include "base/result.h"
#include "conf/config.h"

namespace weir::route {

class Router {
 public:
  // `routes` must outlive the router; every regex in it compiles (conf has checked).
  explicit Router(const std::vector<conf::Route>& routes);
  ~Router();

  // The index of the first route that matches, or -1. `authority` is the effective Host; its port
  // does not matter. A route for GET takes HEAD as well.
  //
  // Paths are matched in their canonical spelling, so that an escape cannot dodge a rule. Where an
  // app may read a path in another way (dot segments, empty segments, escaped slashes, `;`), both
  // readings are matched: when one of them is not cached, that one is the answer, else the earlier
  // route. A path with a slash at its end falls under an earlier uncached route of the same path
  // without it. Allocates only for paths of more than one reading.
  int match(std::string_view method, std::string_view authority, std::string_view path) const;

 private:
  struct Pattern;
  struct Compiled;
  struct Request;

  // The first bytes of every path that a route can match, for a look at all routes in one go.
  struct Opening {
    std::uint64_t bytes = 0;
    std::uint64_t mask = 0;  // which of them are certain
  };

  static Opening opening_of(const Compiled& route);
  int first(const Request& request, std::size_t end, bool uncached_only) const;
  int match_reading(Request request) const;
  bool is_cached(int route) const;

  std::vector<Compiled> routes_;
  std::vector<Opening> openings_;  // parallel to routes_
  bool any_uncached_ = false;
  bool first_takes_all_ = false;  // as that of a configuration without routes does
};

}  // namespace weir::route
