#include "backends/redis/redis_shared.h"

#include "backends/redis/redis_store.h"
#include "base/log.h"

namespace weir::backends::redis {
namespace {

// Of bodies that are to be written, of all loops together.
constexpr std::uint64_t kMostReserved = std::uint64_t{64} << 20U;
constexpr std::int64_t kRefusalsApart_ms = 10'000;

}  // namespace

void RedisShared::failed(LinkFault fault, std::int64_t now_ms) {
  count_error();
  // Of which the server knows nothing.
  if (fault == LinkFault::Busy) return;
  if (breaker_.failed(now_ms)) {
    log_warn("backend {}: {} does not answer; it is left alone for a while", options_.name,
             options_.place.text());
  }
}

void RedisShared::told(const Result<void>& news) {
  if (!news) {
    if (is_down_.exchange(true)) return;
    return log_warn("backend {}: no connection to {}: {}", options_.name, options_.place.text(),
                    news.error().message);
  }
  if (is_down_.exchange(false)) {
    log_info("backend {}: {} answers again", options_.name, options_.place.text());
  }
}

void RedisShared::refused(std::string_view words, std::int64_t now_ms) {
  count_error();
  std::int64_t next = next_refusal_ms_.load(std::memory_order_relaxed);
  if (now_ms < next ||
      !next_refusal_ms_.compare_exchange_strong(next, now_ms + kRefusalsApart_ms)) {
    return;
  }
  log_warn("backend {}: {} answers {}", options_.name, options_.place.text(), words);
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
  out.breaker_open = breaker_.is_open();
  return out;
}

void RedisShared::enter(EventLoop& loop, RedisStore& store) {
  const std::lock_guard lock(mutex_);
  on_loops_.emplace(&loop, &store);
}

void RedisShared::leave(EventLoop& loop, RedisStore& store) {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = on_loops_.equal_range(&loop);
  for (auto at = first; at != last; ++at) {
    if (at->second == &store) {
      on_loops_.erase(at);
      return;
    }
  }
}

void RedisShared::sweep() {
  const std::lock_guard lock(mutex_);
  if (on_loops_.empty()) return;
  EventLoop* const loop = on_loops_.begin()->first;
  loop->post([weak = weak_from_this(), loop] {
    const std::shared_ptr<RedisShared> shared = weak.lock();
    RedisStore* const store = shared ? shared->store_on(*loop) : nullptr;
    if (store) store->sweep();
  });
}

RedisStore* RedisShared::store_on(EventLoop& loop) const {
  const std::lock_guard lock(mutex_);
  const auto found = on_loops_.find(&loop);
  return found == on_loops_.end() ? nullptr : found->second;
}

}  // namespace weir::backends::redis
