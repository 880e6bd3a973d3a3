// The app as all loops share it: its addresses, which one a request goes to and which ones are
// down, and the bound on connections. Any thread; plain atomics, and a slightly old count does no
// harm.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"
#include "proxy/upstream/connection_places.h"
#include "proxy/upstream/open_connections.h"

namespace weir::upstream {

class UpstreamPool {
 public:
  // `response_headers`: how many bytes of head an answer of the app may have.
  explicit UpstreamPool(conf::Upstream config,
                        std::uint64_t response_headers = conf::Limits().response_headers);

  const conf::Upstream& config() const { return config_; }
  std::uint64_t response_headers() const { return response_headers_; }
  std::size_t size() const { return config_.urls.size(); }
  const conf::UpstreamUrl& url(std::size_t index) const { return config_.urls[index]; }
  ConnectionPlaces& places() { return places_; }
  OpenConnections& connections() { return connections_; }
  // The Host to send, by `upstream.host`; `preserved` is the client's.
  std::string_view host(std::size_t index, std::string_view preserved) const;
  // "localhost:8000"; without the port where it is the scheme's own.
  const std::string& own_host(std::size_t index) const { return hosts_[index]; }

  // The one with the fewest requests in flight among those that are up (among all if none is), ties
  // in turn. `avoid` is taken only if there is no other that is up.
  std::size_t pick(std::int64_t now_ms, std::optional<std::size_t> avoid = std::nullopt);
  void begin(std::size_t index);
  void end(std::size_t index);

  // A connection was refused or timed out: the address rests for a while, longer each time.
  void failed(std::size_t index, std::int64_t now_ms);
  void connected(std::size_t index);
  // What the active check says.
  void set_healthy(std::size_t index, bool healthy);
  bool is_healthy(std::size_t index) const;
  bool is_up(std::size_t index, std::int64_t now_ms) const;

 private:
  struct alignas(64) State {
    std::atomic<std::uint32_t> in_flight = 0;
    std::atomic<std::uint32_t> failures = 0;  // in a row
    std::atomic<std::int64_t> down_until_ms = 0;
    std::atomic<bool> healthy = true;
  };

  const conf::Upstream config_;
  const std::uint64_t response_headers_;
  ConnectionPlaces places_;
  OpenConnections connections_;
  std::vector<std::string> hosts_;
  std::unique_ptr<State[]> states_;
  std::atomic<std::uint32_t> turn_ = 0;
};

}  // namespace weir::upstream
