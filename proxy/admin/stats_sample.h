// What /v1/stats said at one moment, read back: what `weir top` draws. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/metrics/histogram.h"

namespace weir::admin {

struct Sample {
  struct Counts {
    std::string name;  // of a route
    double requests = 0;
    double hits = 0;
    double stale = 0;
    double misses = 0;
    double bypasses = 0;
    double errors_5xx = 0;
    double bytes_sent = 0;
    double bytes_from_cache = 0;
    double coalesced = 0;  // of all routes together
  };
  struct Backend {
    std::string name;
    std::string type;
    double objects = 0;
    double bytes = 0;
    double max_bytes = 0;
    double hits = 0;
    double misses = 0;
    double stores = 0;
    double evictions = 0;
    double errors = 0;
    double dropped = 0;
    bool breaker_open = false;
  };
  struct Reason {
    std::string route = {};
    std::string detail = {};
    std::string subject = {};
    double count = 0;
    std::string yaml = {};
    std::string advice = {};
  };
  struct Key {
    std::string url;
    double count = 0;
  };

  std::string version;
  double uptime_s = 0;
  Counts totals;
  std::vector<Counts> routes;
  std::vector<Backend> backends;
  metrics::Durations hit, miss, upstream;
  double flights = 0;
  double clients = 0;
  double app_in_use = 0;
  double app_most = 0;
  double app_waiting = 0;
  std::vector<Reason> reasons;
  std::vector<Key> keys;
};

// Nothing: it is no such text. What is missing in it, as of another version, is 0.
std::optional<Sample> read_sample(std::string_view json);

}  // namespace weir::admin
