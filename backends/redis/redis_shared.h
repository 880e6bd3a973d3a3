// A Redis backend's share that belongs to no loop: what it was told, what it counts, whether its
// server may be asked. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "backends/breaker.h"
#include "backends/redis/doubtful_keys.h"
#include "backends/redis/link.h"
#include "backends/redis/redis_backend.h"
#include "base/clock.h"

namespace weir::backends::redis {

class RedisStore;

class RedisShared : public std::enable_shared_from_this<RedisShared> {
 public:
  RedisShared(const RedisOptions& options, const RedisSeams& seams)
      : options_(options), seams_(seams) {}

  const RedisOptions& options() const { return options_; }
  Resolver& resolver() const { return seams_.resolver; }
  const SharedPositions& positions() const { return *seams_.positions; }
  // What stands there under that name may be older than what was served since.
  void add_doubt(const Hash128& name);
  enum class Doubt : std::uint8_t { None, OfThisOne, OfAll };
  Doubt doubt_of(const Hash128& name);
  DoubtfulKeys& doubtful() { return doubtful_; }

  // ---- whether it may be asked ----

  // One attempt at a time while it fails.
  bool may_ask(std::int64_t now_ms) { return breaker_.allows(now_ms); }
  bool is_well() const { return !breaker_.is_open(); }
  // A call ended so. What a server refuses for reasons of its own is an answer too.
  void answered() { breaker_.succeeded(); }
  void failed(LinkFault fault, std::int64_t now_ms);
  // A link stands, or does not, and why: for the log, once for all of them.
  void told(const Result<void>& news);
  // The server refuses, with those words: for the log, now and then.
  void refused(std::string_view words, std::int64_t now_ms);

  // ---- room for bodies that are under way ----

  bool reserve(std::uint64_t bytes);
  void release(std::uint64_t bytes) { reserved_.fetch_sub(bytes, std::memory_order_relaxed); }

  // ---- figures ----

  void count_lookup(bool hit) { (hit ? hits_ : misses_).fetch_add(1, std::memory_order_relaxed); }
  void count_store() { stores_.fetch_add(1, std::memory_order_relaxed); }
  void count_error() { errors_.fetch_add(1, std::memory_order_relaxed); }
  void count_dropped() { dropped_.fetch_add(1, std::memory_order_relaxed); }
  BackendStats stats() const;

  // ---- the stores, by their loops: a body is read on the loop of who reads it ----

  void enter(EventLoop& loop, RedisStore& store);
  void leave(EventLoop& loop, RedisStore& store);
  // On that loop. Null: there is none any more.
  RedisStore* store_on(EventLoop& loop) const;
  // Has one of them sweep. Any thread.
  void sweep();

 private:
  const RedisOptions options_;
  const RedisSeams seams_;
  Breaker breaker_;
  DoubtfulKeys doubtful_;
  std::atomic<std::uint64_t> all_doubt_{0};  // SharedPositions::doubt(), while all is doubtful
  std::atomic<bool> is_down_{false};
  std::atomic<std::int64_t> next_refusal_ms_{0};  // when the log hears of one again
  std::atomic<std::uint64_t> reserved_{0};
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<std::uint64_t> stores_{0};
  std::atomic<std::uint64_t> errors_{0};
  std::atomic<std::uint64_t> dropped_{0};
  mutable std::mutex mutex_;
  // Guarded by mutex_. Several on one loop while a reload is under way: the newest last.
  std::vector<std::pair<EventLoop*, RedisStore*>> on_loops_;
};

}  // namespace weir::backends::redis
