// What an instance knows of the fleet's log: how far it has applied it, and where its own purge
// book stood behind each entry. One thread changes it, any thread asks.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "backends/redis/redis_backend.h"
#include "base/clock.h"

namespace weir::backends::redis {

class FleetPositions final : public SharedPositions {
 public:
  FleetPositions(const Clock& clock, std::uint64_t tag) : clock_(clock), tag_(tag) {}
  // Hears that a server answers in a run that is not known (meet), on any thread. Before another
  // thread knows of this.
  void set_look(std::function<void()> look) { look_ = std::move(look); }

  // ---- any thread ----
  bool may_read(std::string_view run) const override;
  bool is_live() const override {
    return clock_.now_ms() < until_ms_.load(std::memory_order_relaxed);
  }
  bool meet(std::string_view run) const override;
  std::optional<LogPosition> shared(std::uint64_t own) const override;
  std::optional<std::uint64_t> own(const LogPosition& shared) const override;
  std::uint64_t doubt() const override { return ++doubts_; }
  std::uint64_t resolved() const override { return resolved_.load(std::memory_order_relaxed); }
  std::uint64_t tag() const override { return tag_; }

  // ---- one thread ----

  // From now on it is this log that is applied, from its floor on: everything up to there is taken
  // as applied at the own position `own_base`, which nothing that began before has.
  void begin(std::uint64_t log, StreamPosition floor, std::uint64_t own_base);
  // The next entry was applied; the own position behind it.
  void add(StreamPosition at, std::uint64_t own, std::string entry);
  // The log has lost what stands up to there.
  void raise_floor(StreamPosition floor);
  std::optional<std::uint64_t> log() const { return log_; }
  StreamPosition position() const { return known_.empty() ? floor_ : known_.back().at; }
  std::size_t count() const { return known_.size(); }
  bool has(StreamPosition at) const;
  // Of the entries that are known, the one in that place, the oldest first.
  StreamPosition place(std::size_t index) const { return known_[index].at; }
  std::vector<std::string> entries() const;

  // Servers may be read in those runs until then (steady clock): so long the others wait for this
  // instance when they purge.
  void trust(std::vector<std::string> runs, std::int64_t until_ms);
  void trust_until(std::int64_t until_ms);
  void distrust();
  // Those that links have met so far, but not too many.
  std::vector<std::string> met() const;
  // How often somebody has asked for all to be said stale; and that it was, so often.
  std::uint64_t doubts() const { return doubts_.load(std::memory_order_relaxed); }
  void resolve(std::uint64_t doubts) { resolved_.store(doubts, std::memory_order_relaxed); }
  // When that ends, or ended.
  std::int64_t lease_until_ms() const { return until_ms_.load(std::memory_order_relaxed); }

 private:
  struct Known {
    StreamPosition at;
    std::uint64_t own = 0;
    std::string entry;
  };

  const Clock& clock_;
  const std::uint64_t tag_;
  std::function<void()> look_;
  mutable std::shared_mutex mutex_;
  std::optional<std::uint64_t> log_;  // written under mutex_, as what follows
  StreamPosition floor_;
  std::uint64_t own_base_ = 0;
  std::deque<Known> known_;
  std::vector<std::string> runs_;  // empty: nothing is to be read
  mutable std::vector<std::string> met_;
  std::atomic<std::int64_t> until_ms_{INT64_MIN};
  mutable std::atomic<std::uint64_t> doubts_{0};
  std::atomic<std::uint64_t> resolved_{0};
};

}  // namespace weir::backends::redis
