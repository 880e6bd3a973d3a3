// A Redis backend's share that belongs to no loop: what it was told, what it counts, whether its
// server may be asked. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backends/breaker.h"
#include "backends/redis/doubtful_keys.h"
#include "backends/redis/link.h"
#include "backends/redis/redis_backend.h"
#include "base/clock.h"

namespace weir::backends::redis {

class RedisStore;

// What is known of one server, for the links of all loops: whether it may be asked, and what the
// log was told. Any thread.
class ServerHealth final : public LinkWatcher {
 public:
  // What it costs is one request's time-out; who comes back is to be used within some seconds.
  static constexpr std::int64_t kLongestRest_ms = 2'000;

  ServerHealth(std::string backend, std::string server, std::atomic<std::uint64_t>& errors)
      : backend_(std::move(backend)), server_(std::move(server)), errors_(errors) {}

  // One attempt at a time while it does not answer.
  bool may_ask(std::int64_t now_ms) { return breaker_.allows(now_ms); }
  bool is_well() const { return !breaker_.is_open(); }

  void told(const Result<void>& news) override;
  void answered() override { breaker_.succeeded(); }
  void failed(LinkFault fault, std::int64_t now_ms) override;

 private:
  const std::string backend_;
  const std::string server_;
  std::atomic<std::uint64_t>& errors_;
  Breaker breaker_{kLongestRest_ms};
  std::atomic<bool> is_down_{false};
};

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

  // By the words that are said of it in the log. One of all loops that hold it; gone before this.
  std::shared_ptr<ServerHealth> health_of(const std::string& server);
  // At least one may be, or none is known yet.
  bool is_well() const {
    const Wellness servers = wellness();
    return servers.any_well || !servers.any_ill;
  }
  // A server answers with that Error: for the log, now and then.
  void refused(const Reply& reply, std::int64_t now_ms);

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
  struct Wellness {
    bool any_well = false;
    bool any_ill = false;
  };
  Wellness wellness() const;

  const RedisOptions options_;
  const RedisSeams seams_;
  DoubtfulKeys doubtful_;
  std::atomic<std::uint64_t> all_doubt_{0};       // SharedPositions::doubt(), while all is doubtful
  std::atomic<std::int64_t> next_refusal_ms_{0};  // when the log hears of one again
  std::atomic<std::uint64_t> reserved_{0};
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<std::uint64_t> stores_{0};
  std::atomic<std::uint64_t> errors_{0};
  std::atomic<std::uint64_t> dropped_{0};
  mutable std::mutex mutex_;
  // Guarded by mutex_. What no loop asks any more is gone.
  std::map<std::string, std::weak_ptr<ServerHealth>> health_;
  // Guarded by mutex_. Several on one loop while a reload is under way: the newest last.
  std::vector<std::pair<EventLoop*, RedisStore*>> on_loops_;
};

}  // namespace weir::backends::redis
