#include "backends/redis/fleet_positions.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/check.h"

namespace weir::backends::redis {

namespace {

// Of masters, each some times anew. Beyond that they are met again.
constexpr std::size_t kMostMet = 256;

bool is_among(const std::vector<std::string>& runs, std::string_view run) {
  return std::ranges::find(runs, run) != runs.end();
}

}  // namespace

bool FleetPositions::may_read(std::string_view run) const {
  if (!is_live()) return false;
  const std::shared_lock lock(mutex_);
  return is_among(runs_, run);
}

bool FleetPositions::meet(std::string_view run) const {
  {
    const std::unique_lock lock(mutex_);
    if (run.empty() || runs_.empty() || is_among(runs_, run)) return false;
    if (!is_among(met_, run)) {
      if (met_.size() >= kMostMet) met_.clear();
      met_.emplace_back(run);
    }
  }
  if (look_) look_();
  return true;
}

std::vector<std::string> FleetPositions::met() const {
  const std::shared_lock lock(mutex_);
  return met_;
}

// What began before this log was looked at may have missed what stands below its floor.
std::optional<LogPosition> FleetPositions::shared(std::uint64_t own) const {
  const std::shared_lock lock(mutex_);
  if (!log_ || own < own_base_) return std::nullopt;
  const auto later = std::ranges::upper_bound(known_, own, {}, &Known::own);
  const StreamPosition at = later == known_.begin() ? floor_ : std::prev(later)->at;
  return LogPosition{*log_, at};
}

// What was written under another log is older than all that stands in this one: it was said to be
// stale when this one was begun.
std::optional<std::uint64_t> FleetPositions::own(const LogPosition& shared) const {
  const std::shared_lock lock(mutex_);
  if (!log_) return std::nullopt;
  if (shared.log != *log_) return own_base_;
  if (shared.at < floor_) return std::nullopt;
  const auto later = std::ranges::upper_bound(known_, shared.at, {}, &Known::at);
  return later == known_.begin() ? own_base_ : std::prev(later)->own;
}

void FleetPositions::begin(std::uint64_t log, StreamPosition floor, std::uint64_t own_base) {
  const std::unique_lock lock(mutex_);
  log_ = log;
  floor_ = floor;
  own_base_ = own_base;
  known_.clear();
}

void FleetPositions::add(StreamPosition at, std::uint64_t own, std::string entry) {
  const std::unique_lock lock(mutex_);
  WEIR_CHECK(at > (known_.empty() ? floor_ : known_.back().at));
  WEIR_CHECK(own >= (known_.empty() ? own_base_ : known_.back().own));
  known_.push_back({at, own, std::move(entry)});
}

void FleetPositions::raise_floor(StreamPosition floor) {
  const std::unique_lock lock(mutex_);
  while (!known_.empty() && known_.front().at <= floor) {
    own_base_ = known_.front().own;
    known_.pop_front();
  }
  floor_ = std::max(floor_, floor);
}

bool FleetPositions::has(StreamPosition at) const {
  return std::ranges::binary_search(known_, at, {}, &Known::at);
}

std::vector<std::string> FleetPositions::entries() const {
  std::vector<std::string> out;
  out.reserve(known_.size());
  for (const Known& known : known_) out.push_back(known.entry);
  return out;
}

void FleetPositions::trust(std::vector<std::string> runs, std::int64_t until_ms) {
  {
    const std::unique_lock lock(mutex_);
    runs_ = std::move(runs);
  }
  trust_until(until_ms);
}

void FleetPositions::trust_until(std::int64_t until_ms) {
  until_ms_.store(until_ms, std::memory_order_relaxed);
}

void FleetPositions::distrust() {
  const std::unique_lock lock(mutex_);
  runs_.clear();
}

}  // namespace weir::backends::redis
