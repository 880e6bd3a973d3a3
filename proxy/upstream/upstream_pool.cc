#include "proxy/upstream/upstream_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace weir::upstream {
namespace {

// How long a refusing address is left alone: short, for apps restart within seconds.
constexpr std::int64_t kFirstRest_ms = 500;
constexpr std::uint32_t kMostDoublings = 6;  // 32 s

std::string own_host_of(const conf::UpstreamUrl& url) {
  const std::uint16_t usual = url.kind == conf::UpstreamUrl::Kind::Https ? 443 : 80;
  if (url.kind == conf::UpstreamUrl::Kind::Unix || url.port == usual) return url.host;
  return fmt::format("{}:{}", url.host, url.port);
}

}  // namespace

UpstreamPool::UpstreamPool(conf::Upstream config, std::uint64_t response_headers)
    : config_(std::move(config)),
      response_headers_(response_headers),
      places_(config_.max_connections),
      connections_(config_.max_connections),
      states_(std::make_unique<State[]>(config_.urls.size())) {
  WEIR_CHECK(!config_.urls.empty());
  for (const conf::UpstreamUrl& url : config_.urls) hosts_.push_back(own_host_of(url));
}

std::string_view UpstreamPool::host(std::size_t index, std::string_view preserved) const {
  switch (config_.host) {
    case conf::Upstream::Host::Fixed:
      return config_.fixed_host;
    case conf::Upstream::Host::Upstream:
      return hosts_[index];
    case conf::Upstream::Host::Preserve:
      break;
  }
  // An HTTP/1.0 client may name no host; an app must be told one.
  return preserved.empty() ? std::string_view(hosts_[index]) : preserved;
}

std::size_t UpstreamPool::pick(std::int64_t now_ms, std::optional<std::size_t> avoid) {
  const std::size_t count = size();
  if (count == 1) return 0;
  const std::size_t first = turn_.fetch_add(1, std::memory_order_relaxed) % count;
  std::size_t best = first;
  std::uint64_t best_cost = UINT64_MAX;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = (first + i) % count;
    const std::uint64_t down = is_up(at, now_ms) ? 0 : std::uint64_t{2} << 32;
    const std::uint64_t avoided = at == avoid ? std::uint64_t{1} << 32 : 0;
    const std::uint64_t cost =
        down + avoided + states_[at].in_flight.load(std::memory_order_relaxed);
    if (cost < best_cost) {
      best = at;
      best_cost = cost;
    }
  }
  return best;
}

void UpstreamPool::begin(std::size_t index) {
  states_[index].in_flight.fetch_add(1, std::memory_order_relaxed);
}

void UpstreamPool::end(std::size_t index) {
  states_[index].in_flight.fetch_sub(1, std::memory_order_relaxed);
}

void UpstreamPool::failed(std::size_t index, std::int64_t now_ms) {
  State& state = states_[index];
  // Many requests that fail together are one failure.
  if (now_ms < state.down_until_ms.load(std::memory_order_relaxed)) return;
  const std::uint32_t before = state.failures.fetch_add(1, std::memory_order_relaxed);
  const std::int64_t rest_ms = kFirstRest_ms << std::min(before, kMostDoublings);
  state.down_until_ms.store(now_ms + rest_ms, std::memory_order_relaxed);
}

void UpstreamPool::connected(std::size_t index) {
  State& state = states_[index];
  if (state.failures.load(std::memory_order_relaxed) == 0) return;
  state.failures.store(0, std::memory_order_relaxed);
  state.down_until_ms.store(0, std::memory_order_relaxed);
}

void UpstreamPool::set_healthy(std::size_t index, bool healthy) {
  states_[index].healthy.store(healthy, std::memory_order_relaxed);
}

bool UpstreamPool::is_healthy(std::size_t index) const {
  return states_[index].healthy.load(std::memory_order_relaxed);
}

bool UpstreamPool::is_up(std::size_t index, std::int64_t now_ms) const {
  const State& state = states_[index];
  return is_healthy(index) && now_ms >= state.down_until_ms.load(std::memory_order_relaxed);
}

}  // namespace weir::upstream
