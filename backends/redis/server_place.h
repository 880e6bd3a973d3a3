// Where a Redis server is, and who we are there. A plain value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/net/tls.h"

namespace weir::backends::redis {

inline std::string host_and_port(const std::string& host, std::uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

struct ServerPlace {
  std::string host = "localhost";  // a name, or an address without brackets
  std::uint16_t port = 6379;
  std::string unix_path = {};  // not empty: in place of both
  std::string username = {};
  std::string password = {};  // empty: we say nothing of who we are
  unsigned db = 0;
  std::shared_ptr<const TlsContext> tls = {};  // null: we speak in the clear
  std::string tls_name = {};                   // in its certificate; empty: the host

  // For the log: never with the password.
  std::string text() const {
    return unix_path.empty() ? host_and_port(host, port) : "unix:" + unix_path;
  }
  friend bool operator==(const ServerPlace&, const ServerPlace&) = default;
};

}  // namespace weir::backends::redis
