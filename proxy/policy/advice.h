// What to write into the configuration so that a refusal does not come again, and what that means.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "conf/config.h"
#include "proxy/policy/reason.h"

namespace weir::policy {

struct Advice {
  // One line of YAML, or none where no line would help: for the route's `cache:` map, but for
  // no-route (an element of `routes:`) and route-off (a key of the route).
  std::string yaml = {};
  std::string where = {};  // "the route's cache", "routes", "the route"
  std::string means = {};  // what that line, or else the app, would have to answer for; a sentence
};

// `rule`: of the route, whose own settings the line keeps; null where it has none or is not known.
// What clients and apps send may be in the refusal's subject: where it is in the line, it is
// quoted.
Advice advice_for(const Refusal& refusal, const conf::CacheRule* rule, std::string_view path);

}  // namespace weir::policy
