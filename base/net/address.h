// Socket addresses: what a listener binds and what a peer is called. Plain values.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir {

class SocketAddress {
 public:
  SocketAddress() = default;
  // A numeric IPv4 or IPv6 address without brackets.
  static Result<SocketAddress> tcp(const std::string& host, std::uint16_t port);
  static Result<SocketAddress> unix_path(const std::string& path);
  static SocketAddress from(const sockaddr* address, socklen_t size);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }
  int family() const { return storage_.ss_family; }
  std::uint16_t port() const;
  // "127.0.0.1", "::1" (a mapped IPv4 as IPv4), or "unix".
  std::string host_text() const;
  // "127.0.0.1:80", "[::1]:80", "unix:/path".
  std::string text() const;

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace weir
