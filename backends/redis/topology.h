// Which servers a Redis backend has, and how they are found. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backends/redis/server_place.h"

namespace weir::backends::redis {

struct HostAndPort {
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 0;

  std::string text() const { return host_and_port(host, port); }
  friend bool operator==(const HostAndPort&, const HostAndPort&) = default;
};

struct Topology {
  enum class Kind : std::uint8_t {
    Single,     // the server at `place`
    Sentinels,  // the master that `seeds`, which are sentinels, have under the name `master`
    Cluster,    // all masters of the cluster that `seeds`, which are nodes of it, belong to
  };
  Kind kind = Kind::Single;
  // Not Single: who we are at each of them, and how we speak to them.
  ServerPlace place = {};
  std::vector<HostAndPort> seeds = {};
  std::string master = {};

  ServerPlace at(const HostAndPort& other) const {
    ServerPlace out = place;
    out.host = other.host;
    out.port = other.port;
    return out;
  }
  // For the log.
  std::string text() const {
    if (kind == Kind::Single) return place.text();
    const std::string first = seeds.empty() ? "nobody" : seeds.front().text();
    return kind == Kind::Sentinels ? "master " + master + " of the sentinels at " + first
                                   : "the cluster at " + first;
  }
  friend bool operator==(const Topology&, const Topology&) = default;
};

}  // namespace weir::backends::redis
