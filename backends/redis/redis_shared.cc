#include "backends/redis/redis_shared.h"

#include <algorithm>

#include "backends/redis/redis_store.h"
#include "base/log.h"

namespace weir::backends::redis {
namespace {

// Of bodies that are to be written, of all loops together.
constexpr std::uint64_t kMostReserved = std::uint64_t{64} << 20U;
constexpr std::int64_t kRefusalsApart_ms = 10'000;

}  // namespace

void RedisShared::add_doubt(const Hash128& name) {
  if (!doubtful_.add(name)) return;
  all_doubt_.store(positions().doubt());
  log_warn(
      "backend {}: more could not be written than is remembered; all that {} holds is "
      "validated before it is used",
      options_.name, options_.servers.text());
}

RedisShared::Doubt RedisShared::doubt_of(const Hash128& name) {
  if (!doubtful_.has(name)) return Doubt::None;
  if (!doubtful_.all()) return Doubt::OfThisOne;
  if (positions().resolved() < all_doubt_.load()) return Doubt::OfAll;
  doubtful_.forget_all();
  return Doubt::None;
}

void ServerHealth::failed(LinkFault fault, std::int64_t now_ms) {
  errors_.fetch_add(1, std::memory_order_relaxed);
  // Of which the server knows nothing.
  if (fault == LinkFault::Busy) return;
  if (breaker_.failed(now_ms)) {
    log_warn("backend {}: {} does not answer; it is left alone for a while", backend_, server_);
  }
}

void ServerHealth::told(const Result<void>& news) {
  if (!news) {
    if (is_down_.exchange(true)) return;
    return log_warn("backend {}: no connection to {}: {}", backend_, server_, news.error().message);
  }
  if (is_down_.exchange(false)) log_info("backend {}: {} answers again", backend_, server_);
}

std::shared_ptr<ServerHealth> RedisShared::health_of(const std::string& server) {
  const std::lock_guard lock(mutex_);
  std::erase_if(health_, [](const auto& one) { return one.second.expired(); });
  std::weak_ptr<ServerHealth>& kept = health_[server];
  std::shared_ptr<ServerHealth> out = kept.lock();
  if (!out) {
    out = std::make_shared<ServerHealth>(options_.name, server, errors_);
    kept = out;
  }
  return out;
}

RedisShared::Wellness RedisShared::wellness() const {
  Wellness out;
  const std::lock_guard lock(mutex_);
  for (const auto& [server, kept] : health_) {
    const std::shared_ptr<const ServerHealth> health = kept.lock();
    if (!health) continue;
    (health->is_well() ? out.any_well : out.any_ill) = true;
  }
  return out;
}

void RedisShared::refused(const Reply& reply, std::int64_t now_ms) {
  count_error();
  std::int64_t next = next_refusal_ms_.load(std::memory_order_relaxed);
  if (now_ms < next ||
      !next_refusal_ms_.compare_exchange_strong(next, now_ms + kRefusalsApart_ms)) {
    return;
  }
  log_warn("backend {}: {}: {}", options_.name, options_.servers.text(), reply.refusal());
}

bool RedisShared::reserve(std::uint64_t bytes) {
  if (reserved_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= kMostReserved) return true;
  release(bytes);
  return false;
}

BackendStats RedisShared::stats() const {
  BackendStats out;
  out.hits = hits_.load(std::memory_order_relaxed);
  out.misses = misses_.load(std::memory_order_relaxed);
  out.stores = stores_.load(std::memory_order_relaxed);
  out.errors = errors_.load(std::memory_order_relaxed);
  out.dropped = dropped_.load(std::memory_order_relaxed);
  out.breaker_open = wellness().any_ill;
  return out;
}

void RedisShared::enter(EventLoop& loop, RedisStore& store) {
  const std::lock_guard lock(mutex_);
  on_loops_.emplace_back(&loop, &store);
}

void RedisShared::leave(EventLoop& loop, RedisStore& store) {
  const std::lock_guard lock(mutex_);
  std::erase(on_loops_, std::pair(&loop, &store));
}

void RedisShared::sweep() {
  const std::lock_guard lock(mutex_);
  if (on_loops_.empty()) return;
  EventLoop* const loop = on_loops_.back().first;
  loop->post([weak = weak_from_this(), loop] {
    const std::shared_ptr<RedisShared> shared = weak.lock();
    RedisStore* const store = shared ? shared->store_on(*loop) : nullptr;
    if (store) store->sweep();
  });
}

RedisStore* RedisShared::store_on(EventLoop& loop) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(on_loops_.rbegin(), on_loops_.rend(), &loop,
                                       &std::pair<EventLoop*, RedisStore*>::first);
  return found == on_loops_.rend() ? nullptr : found->second;
}

}  // namespace weir::backends::redis
