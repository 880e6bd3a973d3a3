#include "proxy/flow/uncacheable.h"

namespace weir::flow {

void UncacheableMemory::forget_old(Shard& shard, std::int64_t now_ms) {
  while (!shard.by_time.empty() &&
         (shard.by_time.front().first <= now_ms || shard.by_time.size() > kKeysPerShard)) {
    const auto& [until_ms, key] = shard.by_time.front();
    const auto found = shard.memories.find(key);
    // A key remembered anew since then stands further back as well.
    if (found != shard.memories.end() && found->second.until_ms <= until_ms) {
      shard.memories.erase(found);
    }
    shard.by_time.pop_front();
  }
}

void UncacheableMemory::remember(keys::KeyView key, const policy::Refusal& refusal,
                                 std::int64_t now_ms) {
  Shard& owner = shard(key);
  const std::int64_t until_ms = now_ms + remember_ms_;
  const std::lock_guard lock(owner.mutex);
  owner.memories[key.hash] = {refusal, until_ms};
  owner.by_time.emplace_back(until_ms, key.hash);
  forget_old(owner, now_ms);
}

std::optional<policy::Refusal> UncacheableMemory::recall(keys::KeyView key, std::int64_t now_ms) {
  Shard& owner = shard(key);
  const std::lock_guard lock(owner.mutex);
  forget_old(owner, now_ms);
  const auto found = owner.memories.find(key.hash);
  if (found == owner.memories.end()) return std::nullopt;
  return found->second.refusal;
}

}  // namespace weir::flow
