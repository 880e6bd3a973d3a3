// Keys whose answer was lately refused by policy, with the reason. Requests for them do not wait
// for one another and are sent as they came, until the memory fades. Any thread. Bounded: past the
// bound the oldest are forgotten, which costs a moment of queueing and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "cachekeys/key.h"
#include "proxy/policy/reason.h"

namespace weir::flow {

class UncacheableMemory {
 public:
  static constexpr std::int64_t kRememberMs = 10'000;

  void remember(keys::KeyView key, const policy::Refusal& refusal, std::int64_t now_ms);
  std::optional<policy::Refusal> recall(keys::KeyView key, std::int64_t now_ms);

 private:
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kKeysPerShard = 4096;

  struct Memory {
    policy::Refusal refusal;
    std::int64_t until_ms = 0;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Memory> memories;          // guarded by mutex
    std::deque<std::pair<std::int64_t, std::string>> by_time;  // guarded by mutex
  };
  Shard& shard(keys::KeyView key) { return shards_[key.hash.high % kShards]; }
  static void forget_old(Shard& shard, std::int64_t now_ms);

  std::array<Shard, kShards> shards_;
};

}  // namespace weir::flow
