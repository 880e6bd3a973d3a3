#include "backends/ram/ram_backend.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>
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
// max_size is lowered by so much at a time: what a store may find in its way meanwhile.
constexpr std::uint64_t kShrinkStep = std::uint64_t{4} << 20U;

// The ghost is sized for objects of this mean size, to cost less than half a percent of the store.
constexpr std::uint64_t kGhostObjectBytes = 4096;

// How many evictions are worth remembering: as many as there may be objects.
std::uint64_t remembered(const RamOptions& options) {
  const std::uint64_t objects = options.max_size / kGhostObjectBytes;
  return options.threshold == 0 ? objects : std::min(objects, options.threshold);
}

// What an object costs beside its body where head and key are not known yet: both of middling
// length, and the bookkeeping. Whoever needs more pays the difference when it is stored.
constexpr std::uint64_t kOverhead = 1024;
// What the blocks of a body that is not inline add to it: their headers, rounded up, one page for
// each mapping and the share of gaps.
constexpr std::uint64_t kBlocksShare = 24;

// Bytes added to an account, for an object that is yet to come.
class RamReservation final : public Reservation {
 public:
  RamReservation(Ref<ByteAccount> account, std::uint64_t bytes)
      : account_(std::move(account)), bytes_(bytes) {}
  ~RamReservation() override { account_->subtract(bytes_); }

  // Takes up to so many bytes out of it, which stay charged; how many it had.
  std::uint64_t take(std::uint64_t bytes) {
    const std::uint64_t taken = std::min(bytes, bytes_);
    bytes_ -= taken;
    return taken;
  }
  bool is_of(const Ref<ByteAccount>& account) const { return account_ == account; }

 private:
  const Ref<ByteAccount> account_;
  std::uint64_t bytes_;
};

using Admission = std::expected<std::unique_ptr<Reservation>, StoreResult>;

// Two kinds of lock, taken in this order: the policy's, by everything that changes what is stored,
// and a shard's, which is all that a look-up takes. Entries die outside of both.
class Ram final : public RamBackend, public std::enable_shared_from_this<Ram> {
 public:
  explicit Ram(const RamOptions& options)
      : name_(options.name),
        account_(make_ref<ByteAccount>()),
        policy_(remembered(options)),
        limit_(limit_of(options, policy_.ghost_bytes())),
        threshold_(options.threshold),
        max_object_size_(options.max_object_size),
        default_expire_s_(options.default_expire_s) {}
  ~Ram() override { clear(); }

  const std::string& name() const override { return name_; }
  std::unique_ptr<Store> attach(EventLoop& loop) override;
  void clear() override;
  std::uint64_t max_object_size() const override {
    return std::min(max_object_size_.load(std::memory_order_relaxed), limit());
  }
  std::int64_t default_expire_s() const override {
    return default_expire_s_.load(std::memory_order_relaxed);
  }
  BackendStats stats() const override;
  void resize(const RamOptions& options) override;

  // ---- what the stores of all loops do ----
  EntryRef find(keys::KeyView key, Purpose purpose) { return shard_of(key).find(key, purpose); }
  Admission admit(std::optional<std::uint64_t> body_bytes);
  StoreResult store(const EntryRef& entry, RamReservation* reservation);
  bool erase(keys::KeyView key);
  ListPart list(char first_byte, std::uint64_t from);

 private:
  Shard& shard_of(keys::KeyView key) { return shards_[key.hash.high % kShards]; }
  std::expected<EntryRef, StoreResult> charge(EntryRef entry, RamReservation* reservation);
  // max_size without what the memory of evictions may come to.
  static std::uint64_t limit_of(const RamOptions& options, std::uint64_t ghost_bytes) {
    return options.max_size - std::min(options.max_size, ghost_bytes);
  }
  std::uint64_t limit() const { return limit_.load(std::memory_order_relaxed); }
  std::optional<StoreResult> make_room(std::uint64_t bytes);
  bool evict_for(std::uint64_t bytes, bool first);
  bool put(const EntryRef& entry);
  bool evict_one(Graveyard& graveyard, std::uint64_t& bytes);
  void lower_limit(std::uint64_t limit);
  void lower_threshold(std::uint64_t threshold);
  bool evict_some(std::uint64_t objects_left);

  const std::string name_;
  const Ref<ByteAccount> account_;
  std::array<Shard, kShards> shards_;

  std::mutex policy_mutex_;
  S3Fifo policy_;  // guarded by policy_mutex_

  // Written by resize().
  std::atomic<std::uint64_t> limit_;
  std::atomic<std::uint64_t> threshold_;
  std::atomic<std::uint64_t> max_object_size_;
  std::atomic<std::int64_t> default_expire_s_;

  std::atomic<std::uint64_t> objects_{0};  // policy_.count(), written under policy_mutex_
  std::atomic<std::uint64_t> stores_{0};
  std::atomic<std::uint64_t> evictions_{0};
};

// All loops share the memory, so a loop's store is a mere door to it.
class RamStore final : public Store {
 public:
  explicit RamStore(std::shared_ptr<Ram> backend) : backend_(std::move(backend)) {}

  bool answers_now() const override { return true; }
  EntryRef lookup_now(keys::KeyView key, Purpose purpose) override {
    return backend_->find(key, purpose);
  }
  Lookup lookup(keys::KeyView key, Purpose purpose, LookupWaiter&) override {
    EntryRef entry = backend_->find(key, purpose);
    const auto status = entry ? Lookup::Status::Hit : Lookup::Status::Miss;
    return {status, std::move(entry), nullptr};
  }
  Admission admit(std::optional<std::uint64_t> body_bytes) override {
    return backend_->admit(body_bytes);
  }
  Storing store(EntryRef entry, std::unique_ptr<Reservation> reservation, const StoreTerms&,
                StoreWaiter&) override {
    return {backend_->store(entry, static_cast<RamReservation*>(reservation.get())), nullptr};
  }
  EraseResult erase(keys::KeyView key) override {
    return backend_->erase(key) ? EraseResult::Erased : EraseResult::Absent;
  }
  Listing list(char first_byte, std::uint64_t from, ListWaiter&) override {
    return {backend_->list(first_byte, from), nullptr};
  }
  std::uint64_t most_whole() const override { return backend_->max_object_size(); }
  std::expected<std::unique_ptr<Inflow>, StoreResult> open_inflow(
      std::optional<std::uint64_t>) override {
    return std::unexpected(StoreResult::TooLarge);  // memory holds what it holds
  }

 private:
  const std::shared_ptr<Ram> backend_;
};

std::unique_ptr<Store> Ram::attach(EventLoop&) {
  return std::make_unique<RamStore>(shared_from_this());
}

Admission Ram::admit(std::optional<std::uint64_t> body_bytes) {
  const std::uint64_t body = body_bytes.value_or(0);
  if (body > max_object_size()) return std::unexpected(StoreResult::TooLarge);
  const std::uint64_t bytes = kOverhead + body + body / kBlocksShare;
  if (const auto refused = make_room(bytes)) return std::unexpected(*refused);
  return std::make_unique<RamReservation>(account_, bytes);
}

// A place in the listing: the shard in the upper byte, below it the place there.
ListPart Ram::list(char first_byte, std::uint64_t from) {
  constexpr unsigned kShardShift = 56;
  std::uint64_t shard = from >> kShardShift;
  ListPart part;
  const std::uint64_t next = shards_[shard].list_some(
      first_byte, from & ((std::uint64_t{1} << kShardShift) - 1), part.entries);
  if (next == 0) ++shard;
  if (shard < kShards) part.next = shard << kShardShift | next;
  return part;
}

StoreResult Ram::store(const EntryRef& entry, RamReservation* reservation) {
  WEIR_CHECK(!reservation || reservation->is_of(account_));
  std::expected<EntryRef, StoreResult> charged = std::unexpected(StoreResult::TooLarge);
  const bool fits = entry->body_size() <= max_object_size() && !entry->far_body();
  if (fits) charged = charge(entry, reservation);
  while (charged && !put(*charged)) charged = charge((*charged)->copy(), reservation);
  if (!charged) {
    erase(entry->key());  // what stands there is older
    return charged.error();
  }
  stores_.fetch_add(1, std::memory_order_relaxed);
  return StoreResult::Stored;
}

// Has the entry's bytes on our account, or a copy's where it is another store's entry. One that is
// ours already (it was evicted, or is stored twice) is paid for.
std::expected<EntryRef, StoreResult> Ram::charge(EntryRef entry, RamReservation* reservation) {
  while (!entry->charged_to(*account_)) {
    if (entry->has_account()) entry = entry->copy();
    const std::uint64_t cost = entry->charge_for(*account_);
    const std::uint64_t paid = reservation ? reservation->take(cost) : 0;
    if (const auto refused = make_room(cost - paid)) {
      account_->subtract(paid);
      return std::unexpected(*refused);
    }
    // Another thread may have bound it meanwhile, or its body.
    account_->subtract(cost - entry->bind_account(account_).value_or(0));
  }
  return entry;
}

// Adds the bytes to the account, which never passes the limit: victims leave first. What readers
// hold of them stays charged, so that more may have to leave. Empty, or why not.
std::optional<StoreResult> Ram::make_room(std::uint64_t bytes) {
  if (bytes > limit()) return StoreResult::TooLarge;
  for (bool first = true; !account_->try_add(bytes, limit()); first = false) {
    if (!evict_for(bytes, first)) return StoreResult::NoRoom;
  }
  return std::nullopt;
}

// Evicts a batch of those that are in the way of so many bytes. False when that leads nowhere:
// before the first batch, because all that could leave would not be enough; then nobody leaves.
bool Ram::evict_for(std::uint64_t bytes, bool first) {
  Graveyard graveyard;
  const std::lock_guard lock(policy_mutex_);
  // Read again: since try_add, readers may have let go of enough.
  const std::uint64_t sum = account_->bytes() + bytes;
  const std::uint64_t most = limit();
  const std::uint64_t missing = sum > most ? sum - most : 0;
  if (first && !policy_.can_free(missing)) return false;
  std::uint64_t evicted = 0;
  for (int n = 0; n < kEvictionBatch && evicted < missing; ++n) {
    if (!evict_one(graveyard, evicted)) break;
  }
  return missing == 0 || !graveyard.empty();
}

// False when it has been in the store before: then a copy must go in.
bool Ram::put(const EntryRef& entry) {
  Shard& shard = shard_of(entry->key());
  Graveyard graveyard;

  const std::lock_guard lock(policy_mutex_);
  const Entry* old = shard.find_entry(entry->key());
  if (old == entry.get()) return true;
  if (entry->place().queue != Entry::Place::Queue::NotYet) return false;
  const Entry& kept = *EntryRef(entry).detach();  // the store's reference
  if (old) {
    policy_.replace(*old, kept);
    shard.replace(*old, kept);
    graveyard.bury(*old);
    return true;
  }
  std::uint64_t evicted = 0;
  const std::uint64_t threshold = threshold_.load(std::memory_order_relaxed);
  while (threshold != 0 && policy_.count() >= threshold) {
    WEIR_CHECK(evict_one(graveyard, evicted));
  }
  policy_.insert(kept);
  shard.insert(kept);
  objects_.store(policy_.count(), std::memory_order_relaxed);
  return true;
}

// With policy_mutex_ held. False when nothing is left; else adds to `bytes` what the victim weighs.
bool Ram::evict_one(Graveyard& graveyard, std::uint64_t& bytes) {
  const Entry* victim = policy_.evict();
  if (!victim) return false;
  shard_of(victim->key()).erase(*victim);
  bytes += victim->charge();
  graveyard.bury(*victim);
  objects_.store(policy_.count(), std::memory_order_relaxed);
  evictions_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

// Whether there was one.
bool Ram::erase(keys::KeyView key) {
  Graveyard graveyard;
  const std::lock_guard lock(policy_mutex_);
  Shard& shard = shard_of(key);
  const Entry* entry = shard.find_entry(key);
  if (!entry) return false;
  shard.erase(*entry);
  policy_.remove(*entry);
  graveyard.bury(*entry);
  objects_.store(policy_.count(), std::memory_order_relaxed);
  return true;
}

void Ram::clear() {
  Graveyard graveyard;
  const std::lock_guard lock(policy_mutex_);
  for (Shard& shard : shards_) shard.take_all();
  const auto [small, main] = policy_.take_all();
  graveyard.bury_all(small);
  graveyard.bury_all(main);
  objects_.store(0, std::memory_order_relaxed);
}

// ---- a change of sizes ----

void Ram::resize(const RamOptions& options) {
  max_object_size_.store(options.max_object_size, std::memory_order_relaxed);
  default_expire_s_.store(options.default_expire_s, std::memory_order_relaxed);
  Ghost ghost(remembered(options));
  const std::uint64_t limit = limit_of(options, ghost.bytes());
  lower_limit(limit);
  lower_threshold(options.threshold);
  if (ghost.bytes() != policy_.ghost_bytes()) {
    const std::lock_guard lock(policy_mutex_);
    ghost = policy_.remember_in(std::move(ghost));
  }
  limit_.store(limit, std::memory_order_relaxed);
  threshold_.store(options.threshold, std::memory_order_relaxed);
}

void Ram::lower_limit(std::uint64_t limit) {
  for (std::uint64_t now = this->limit(); now > limit;) {
    const std::uint64_t held = std::min(now, account_->bytes());
    now = held > limit + kShrinkStep ? held - kShrinkStep : limit;
    limit_.store(now, std::memory_order_relaxed);
    while (account_->bytes() > now && evict_for(0, false)) {
    }
  }
}

// Before it counts, or the next store would have to throw out all that is too much.
void Ram::lower_threshold(std::uint64_t threshold) {
  if (threshold == 0) return;
  while (objects_.load(std::memory_order_relaxed) > threshold && evict_some(threshold)) {
  }
}

// A batch, but not if so many are left. False: nobody went.
bool Ram::evict_some(std::uint64_t objects_left) {
  Graveyard graveyard;
  const std::lock_guard lock(policy_mutex_);
  std::uint64_t bytes = 0;
  for (int n = 0; n < kEvictionBatch && policy_.count() > objects_left; ++n) {
    if (!evict_one(graveyard, bytes)) break;
  }
  return !graveyard.empty();
}

BackendStats Ram::stats() const {
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

std::shared_ptr<RamBackend> make_ram_backend(const RamOptions& options) {
  return std::make_shared<Ram>(options);
}

}  // namespace weir::backends
