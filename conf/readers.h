// One reader for each section of the file. Each takes its keys from the Section or Cursor it is
// given, notes what is wrong, and leaves defaults in the place of what is missing or wrong.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"
#include "conf/cursor.h"
#include "conf/load.h"
#include "conf/names.h"
#include "conf/resources.h"

namespace weir::conf {

// What most readers need besides their keys.
struct Outside {
  const Overrides& overrides;
  const Environment& environment;
  const Resources& resources;
};

// A value that a flag or a variable gives, under the name of the one that gave it.
Cursor override_cursor(Reading& reading, const Outside& outside, const char* flag,
                       const char* variable, const std::string& value);

// listen, admin, admin_token, admin_hosts
void read_addresses(Reading& reading, Section& top, const Outside& outside, Config& config);
// workers, trusted_proxies, trusted_fields, purge_allow, access_log, drain_delay, drain_timeout
void read_process(Section& top, const Outside& outside, Config& config);
// Needs config.listen, since an app cannot be where Weir itself is.
void read_upstream(Reading& reading, Section& top, const Outside& outside, Config& config);
void read_limits(Section& top, const Outside& outside, Limits& limits);
// backends, default; returns every name that was declared
BackendNames read_backends(Reading& reading, Section& top, Config& config);

// What a backend of type redis has of its own.
void read_redis(Section& section, Backend& backend);

// The keys of a `cache:` map, laid over what `rule` holds.
void read_cache_rule(const Cursor& cursor, const BackendNames& backends, CacheRule& rule);
// Its parts with a grammar of their own.
void read_duration(const Cursor& cursor, Duration& duration);
void read_query(const Cursor& cursor, QueryRule& rule);
void read_language(const Cursor& cursor, LanguageRule& rule);
// The keys of a route's `cache:`, for whoever finds one of them elsewhere.
inline constexpr std::string_view kCacheKeys[] = {
    "duration",       "query_params", "language",
    "hostname",       "headers",      "cookies",
    "backend",        "origin",       "statuses",
    "set_cookie",     "tags",         "stale_while_revalidate",
    "stale_if_error", "stale_after",  "client_no_cache",
    "credentials",    "sealed",       "armor",
    "max_variants",   "coalesce"};
void read_cookies(const Cursor& cursor, CookieRule& rule);
void read_statuses(const Cursor& cursor, std::vector<StatusRule>& statuses);
void read_set_cookie(const Cursor& cursor, SetCookieRule& rule);

// A string, a map, or a list of these.
std::vector<Matcher> read_match(const Cursor& cursor);

// A flattened route with what is needed to speak of it.
struct ReadRoute {
  Route route;
  std::string path;  // "routes[2].routes[0]"
};
std::vector<ReadRoute> read_routes(Reading& reading, Section& top, const BackendNames& backends,
                                   const CacheRule& defaults);

// Warns of routes that an earlier one leaves nothing to, or that their module never lets through.
void warn_of_dead_routes(Reading& reading, const std::vector<ReadRoute>& routes);
// Warns where set_cookie strips a session, or on pages what their forms need; of many routes alike
// for the first.
void warn_of_stripped_cookies(Reading& reading, const std::vector<ReadRoute>& routes);
// Warns where another app may share a route's pages, or none can though it is told to.
void warn_of_shared_servers(Reading& reading, const std::vector<ReadRoute>& routes,
                            const Config& config);

}  // namespace weir::conf
