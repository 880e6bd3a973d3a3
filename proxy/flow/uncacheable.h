// Keys whose answer was lately refused, with the first reason, until the memory fades. An answer
// that is refused for the same key in the second half of that time confirms it, and doubles it, up
// to a bound. Any thread. Bounded: past the bound the oldest are forgotten, which costs a moment of
// queueing and nothing else. Keys are known by their 128-bit hash: should two ever share one, the
// other is merely not coalesced for some seconds.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "cachekeys/key.h"
#include "proxy/policy/reason.h"

namespace weir::flow {

class UncacheableMemory {
 public:
  UncacheableMemory(std::int64_t first_ms, std::int64_t most_ms)
      : first_ms_(first_ms), most_ms_(most_ms) {}

  void remember(keys::KeyView key, const policy::Refusal& refusal, std::int64_t now_ms);
  void forget(keys::KeyView key);
  std::optional<policy::Refusal> recall(keys::KeyView key, std::int64_t now_ms);
  // The same for somebody who merely wants to know, and for how much longer it is remembered.
  struct Remembered {
    policy::Refusal refusal;
    std::int64_t left_ms = 0;
  };
  std::optional<Remembered> look(keys::KeyView key, std::int64_t now_ms);

 private:
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kKeysPerShard = 4096;

  struct ByLow {
    std::size_t operator()(const Hash128& hash) const { return hash.low; }
  };
  struct Memory {
    policy::Refusal refusal;
    std::int64_t lasts_ms = 0;
    std::int64_t until_ms = 0;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<Hash128, Memory, ByLow> memories;   // guarded by mutex
    std::deque<std::pair<std::int64_t, Hash128>> by_time;  // guarded by mutex
  };
  Shard& shard(keys::KeyView key) { return shards_[key.hash.high % kShards]; }
  static void forget_old(Shard& shard, std::int64_t now_ms);

  const std::int64_t first_ms_;
  const std::int64_t most_ms_;
  std::array<Shard, kShards> shards_;
};

}  // namespace weir::flow
