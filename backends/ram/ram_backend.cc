#include "backends/ram/ram_backend.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <utility>

#include "backends/byte_account.h"
#include "backends/ram/s3_fifo.h"
#include "backends/ram/shard.h"
#include "base/check.h"

namespace weir::backends {
namespace {

// Shards are for the index only, so many of them cost nothing but their heads; each stays small
// enough (4,000 entries where the store has a million) that its growth delays nobody.
constexpr std::size_t kShards = 256;
// Victims taken under one hold of the policy's lock.
constexpr int kEvictionBatch = 64;

// The ghost is sized for objects of this mean size, to cost less than half a percent of the store.
constexpr std::uint64_t kGhostObjectBytes = 4096;

// How many evictions are worth remembering: as many as there may be objects.
std::uint64_t remembered(const RamOptions& options) {
  const std::uint64_t objects = options.max_size / kGhostObjectBytes;
  return options.threshold == 0 ? objects : std::min(objects, options.threshold);
}

// Two kinds of lock, taken in this order: the policy's, by everything that changes what is stored,
// and a shard's, which is all that a look-up takes. Entries and nodes die outside of both.
class RamBackend final : public Backend {
 public:
  explicit RamBackend(RamOptions options)
      : options_(std::move(options)),
        account_(make_ref<ByteAccount>()),
        policy_(remembered(options_)) {}
  ~RamBackend() override { clear(); }

  const std::string& name() const override { return options_.name; }
  Lookup lookup(keys::KeyView key, EventLoop& loop, LookupWaiter& waiter) override;
  void store(EntryRef entry) override;
  void erase(keys::KeyView key) override;
  void clear() override;
  EntryRef lookup_now(keys::KeyView key) override { return shard_of(key).find(key); }

  std::uint64_t max_object_size() const override {
    return std::min(options_.max_object_size, options_.max_size);
  }
  std::int64_t default_expire_s() const override { return options_.default_expire_s; }
  BackendStats stats() const override;

 private:
  Shard& shard_of(keys::KeyView key) { return shards_[key.hash.high % kShards]; }
  EntryRef charge(EntryRef entry);
  bool make_room(std::uint64_t bytes);
  void put(EntryRef entry);
  bool evict_one(NodeGraveyard& graveyard, std::uint64_t& bytes);

  const RamOptions options_;
  const Ref<ByteAccount> account_;
  std::array<Shard, kShards> shards_;

  std::mutex policy_mutex_;
  S3Fifo policy_;  // guarded by policy_mutex_

  std::atomic<std::uint64_t> objects_{0};  // policy_.count(), written under policy_mutex_
  std::atomic<std::uint64_t> stores_{0};
  std::atomic<std::uint64_t> evictions_{0};
};

Lookup RamBackend::lookup(keys::KeyView key, EventLoop&, LookupWaiter&) {
  EntryRef entry = lookup_now(key);
  const auto status = entry ? Lookup::Status::Hit : Lookup::Status::Miss;
  return {status, std::move(entry), nullptr};
}

void RamBackend::store(EntryRef entry) {
  if (entry->body().size() > max_object_size()) return;
  entry = charge(std::move(entry));
  if (!entry) return;
  put(std::move(entry));
  stores_.fetch_add(1, std::memory_order_relaxed);
}

// Has the entry's bytes on our account, or a copy's where it is another store's entry; null when
// there is no room. One that is ours already (it was evicted, or is stored twice) is paid for.
EntryRef RamBackend::charge(EntryRef entry) {
  while (!entry->charged_to(*account_)) {
    if (entry->has_account()) entry = entry->copy();
    if (!make_room(entry->charge())) return nullptr;
    if (entry->bind_account(account_)) break;
    account_->subtract(entry->charge());  // another thread bound it meanwhile
  }
  return entry;
}

// Adds the bytes to the account, which never passes max_size: victims leave first. What readers
// hold of them stays charged, so that more may have to leave, down to the last.
bool RamBackend::make_room(std::uint64_t bytes) {
  if (bytes > options_.max_size) return false;
  while (!account_->try_add(bytes, options_.max_size)) {
    NodeGraveyard graveyard;
    const std::lock_guard lock(policy_mutex_);
    // Read again: since try_add, readers may have let go of enough.
    const std::uint64_t sum = account_->bytes() + bytes;
    const std::uint64_t missing = sum > options_.max_size ? sum - options_.max_size : 0;
    std::uint64_t evicted = 0;
    for (int n = 0; n < kEvictionBatch && evicted < missing; ++n) {
      if (!evict_one(graveyard, evicted)) break;
    }
    if (missing > 0 && graveyard.empty()) return false;
  }
  return true;
}

void RamBackend::put(EntryRef entry) {
  auto node = std::make_unique<Node>(entry);
  const keys::KeyView key = node->entry->key();
  Shard& shard = shard_of(key);
  NodeGraveyard graveyard;
  EntryRef replaced;

  const std::lock_guard lock(policy_mutex_);
  if (Node* old = shard.find_node(key)) {
    replaced = shard.replace(*old, [&] { return policy_.replace(*old, std::move(entry)); });
    return;
  }
  std::uint64_t evicted = 0;
  while (options_.threshold != 0 && policy_.count() >= options_.threshold) {
    WEIR_CHECK(evict_one(graveyard, evicted));
  }
  policy_.insert(*node);
  shard.insert(*node.release());
  objects_.store(policy_.count(), std::memory_order_relaxed);
}

// With policy_mutex_ held. False when nothing is left; else adds to `bytes` what the victim weighs.
bool RamBackend::evict_one(NodeGraveyard& graveyard, std::uint64_t& bytes) {
  Node* victim = policy_.evict();
  if (!victim) return false;
  shard_of(victim->entry->key()).erase(*victim);
  bytes += victim->entry->charge();
  graveyard.bury(*victim);
  objects_.store(policy_.count(), std::memory_order_relaxed);
  evictions_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void RamBackend::erase(keys::KeyView key) {
  NodeGraveyard graveyard;
  const std::lock_guard lock(policy_mutex_);
  Shard& shard = shard_of(key);
  Node* node = shard.find_node(key);
  if (!node) return;
  shard.erase(*node);
  policy_.remove(*node);
  graveyard.bury(*node);
  objects_.store(policy_.count(), std::memory_order_relaxed);
}

void RamBackend::clear() {
  NodeGraveyard graveyard;
  const std::lock_guard lock(policy_mutex_);
  for (Shard& shard : shards_) shard.take_all();
  const auto [small, main] = policy_.take_all();
  graveyard.bury_all(small);
  graveyard.bury_all(main);
  objects_.store(0, std::memory_order_relaxed);
}

BackendStats RamBackend::stats() const {
  BackendStats stats;
  stats.objects = objects_.load(std::memory_order_relaxed);
  stats.bytes = account_->bytes();
  stats.stores = stores_.load(std::memory_order_relaxed);
  stats.evictions = evictions_.load(std::memory_order_relaxed);
  for (const Shard& shard : shards_) {
    stats.hits += shard.hits();
    stats.misses += shard.misses();
  }
  return stats;
}

}  // namespace

std::shared_ptr<Backend> make_ram_backend(RamOptions options) {
  return std::make_shared<RamBackend>(std::move(options));
}

}  // namespace weir::backends
