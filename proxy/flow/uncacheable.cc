#include "proxy/flow/uncacheable.h"

#include <algorithm>

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
  const std::lock_guard lock(owner.mutex);
  forget_old(owner, now_ms);
  Memory& memory = owner.memories[key.hash];
  const std::int64_t left_ms = memory.until_ms - now_ms;
  // A crowd that was refused together is one confirmation.
  if (left_ms > memory.lasts_ms / 2) return;
  memory.lasts_ms = left_ms > 0 ? std::min(2 * memory.lasts_ms, most_ms_) : first_ms_;
  memory.until_ms = now_ms + memory.lasts_ms;
  if (left_ms <= 0) memory.refusal = refusal;
  owner.by_time.emplace_back(memory.until_ms, key.hash);
  forget_old(owner, now_ms);
}

void UncacheableMemory::forget(keys::KeyView key) {
  Shard& owner = shard(key);
  const std::lock_guard lock(owner.mutex);
  owner.memories.erase(key.hash);
}

std::optional<policy::Refusal> UncacheableMemory::recall(keys::KeyView key, std::int64_t now_ms) {
  Shard& owner = shard(key);
  const std::lock_guard lock(owner.mutex);
  forget_old(owner, now_ms);
  const auto found = owner.memories.find(key.hash);
  if (found == owner.memories.end() || found->second.until_ms <= now_ms) return std::nullopt;
  return found->second.refusal;
}

std::optional<UncacheableMemory::Remembered> UncacheableMemory::look(keys::KeyView key,
                                                                     std::int64_t now_ms) {
  Shard& owner = shard(key);
  const std::lock_guard lock(owner.mutex);
  const auto found = owner.memories.find(key.hash);
  if (found == owner.memories.end() || found->second.until_ms <= now_ms) return std::nullopt;
  return Remembered{found->second.refusal, found->second.until_ms - now_ms};
}

}  // namespace weir::flow
