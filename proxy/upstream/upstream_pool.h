// The app's addresses and what is known of them, shared by all loops: which one a request goes to,
// which ones are down. Any thread; plain atomics, and a slightly old count does no harm.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"

namespace weir::upstream {

class UpstreamPool {
 public:
  // `loops`: among how many loops the connections are divided; no more than there are connections.
  UpstreamPool(conf::Upstream config, std::size_t loops);

  const conf::Upstream& config() const { return config_; }
  std::size_t size() const { return config_.urls.size(); }
  const conf::UpstreamUrl& url(std::size_t index) const { return config_.urls[index]; }
  // The share of this loop, from 0, of `max_connections`: at least one, all of them together.
  std::size_t connections_of(std::size_t loop) const;
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
  bool is_up(std::size_t index, std::int64_t now_ms) const;

 private:
  struct alignas(64) State {
    std::atomic<std::uint32_t> in_flight = 0;
    std::atomic<std::uint32_t> failures = 0;  // in a row
    std::atomic<std::int64_t> down_until_ms = 0;
    std::atomic<bool> healthy = true;
  };

  const conf::Upstream config_;
  const std::size_t loops_;
  std::vector<std::string> hosts_;
  std::unique_ptr<State[]> states_;
  std::atomic<std::uint32_t> turn_ = 0;
};

}  // namespace weir::upstream
