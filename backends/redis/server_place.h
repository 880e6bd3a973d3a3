// Where a Redis server is, and who we are there. A plain value.
#pragma once

#include <cstdint>
#include <string>

namespace weir::backends::redis {

struct ServerPlace {
  std::string host = "localhost";  // a name, or an address without brackets
  std::uint16_t port = 6379;
  std::string unix_path = {};  // not empty: in place of both
  std::string username = {};
  std::string password = {};  // empty: we say nothing of who we are
  unsigned db = 0;

  // For the log: never with the password.
  std::string text() const {
    if (!unix_path.empty()) return "unix:" + unix_path;
    const bool is_ipv6 = host.find(':') != std::string::npos;
    return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  }
  friend bool operator==(const ServerPlace&, const ServerPlace&) = default;
};

}  // namespace weir::backends::redis
