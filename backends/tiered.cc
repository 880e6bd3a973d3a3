#include "backends/tiered.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <unordered_map>
#include <utility>

#include "backends/changes.h"
#include "backends/tiered_inflow.h"
#include "base/check.h"
#include "base/life.h"

namespace weir::backends {
namespace {

std::string joined_names(const std::vector<std::shared_ptr<Backend>>& tiers) {
  std::string names;
  for (const auto& tier : tiers) names += (names.empty() ? "" : "+") + tier->name();
  return names;
}

using Tiers = std::vector<std::shared_ptr<Backend>>;
using Admission = std::expected<std::unique_ptr<Reservation>, StoreResult>;

// What all loops share: the tiers themselves and the counts.
class Tiered final : public Backend, public std::enable_shared_from_this<Tiered> {
 public:
  explicit Tiered(Tiers tiers) : tiers_(std::move(tiers)), name_(joined_names(tiers_)) {}

  const std::string& name() const override { return name_; }
  std::unique_ptr<Store> attach(EventLoop& loop) override;
  void clear() override;
  std::uint64_t max_object_size() const override;
  std::int64_t default_expire_s() const override { return tiers_.front()->default_expire_s(); }
  BackendStats stats() const override;

  Changes& changes() { return changes_; }
  void count_lookup(bool hit) { (hit ? hits_ : misses_).fetch_add(1, std::memory_order_relaxed); }
  void count_store() { stores_.fetch_add(1, std::memory_order_relaxed); }

 private:
  const Tiers tiers_;
  const std::string name_;
  Changes changes_;
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<std::uint64_t> stores_{0};
};

// The tiers' own reservations, in their order; the reason where a tier refused.
class TieredReservation final : public Reservation {
 public:
  std::vector<Admission> tiers;
};

// The better answer for the caller: of two refusals the one that says less for ever, so that an
// object is called too large only when it is so for every tier.
StoreResult better(StoreResult a, StoreResult b) {
  for (const StoreResult result : {StoreResult::Stored, StoreResult::NoRoom, StoreResult::Failed}) {
    if (a == result || b == result) return result;
  }
  return StoreResult::TooLarge;
}

// The tiers as one, on one loop.
class TieredStore final : public Store {
 public:
  TieredStore(std::shared_ptr<Tiered> shared, std::vector<std::unique_ptr<Store>> tiers)
      : shared_(std::move(shared)), tiers_(std::move(tiers)) {}

  bool answers_now() const override;
  bool may_have(keys::KeyView key) override {
    return std::ranges::any_of(tiers_, [&](const auto& tier) { return tier->may_have(key); });
  }
  EntryRef lookup_now(keys::KeyView key, Purpose purpose) override;
  Lookup lookup(keys::KeyView key, Purpose purpose, LookupWaiter& waiter) override;
  Admission admit(std::optional<std::uint64_t> body_bytes) override;
  Storing store(EntryRef entry, std::unique_ptr<Reservation> reservation,
                StoreWaiter& waiter) override;
  EraseResult erase(keys::KeyView key) override;
  Listing list(char first_byte, std::uint64_t from, ListWaiter& waiter) override {
    return tiers_.back()->list(first_byte, from, waiter);
  }
  std::uint64_t most_whole() const override;
  std::expected<std::unique_ptr<Inflow>, StoreResult> open_inflow(
      std::optional<std::uint64_t> body_bytes) override;

 private:
  class Chain;
  class Write;

  void promote(const EntryRef& entry, std::size_t found_at,
               std::optional<std::uint64_t> quiet_since);
  // What a tier had, on its way to the caller.
  EntryRef found(EntryRef entry, std::size_t at, Purpose purpose,
                 std::optional<std::uint64_t> quiet_since) {
    if (purpose == Purpose::Serve) promote(entry, at, quiet_since);
    count_lookup(entry, purpose);
    return entry;
  }
  void count_lookup(const EntryRef& found, Purpose purpose) {
    if (purpose == Purpose::Probe) return;
    if (found && found->kind() != Entry::Kind::Response) return;
    shared_->count_lookup(found != nullptr);
  }

  const std::shared_ptr<Tiered> shared_;
  const std::vector<std::unique_ptr<Store>> tiers_;
  // Those that some tier has yet to report on; they go on when their caller has lost interest.
  std::unordered_map<Write*, std::unique_ptr<Write>> writes_;
};

// ---- look-ups ----

namespace {

Purpose purpose_at(std::size_t tier, Purpose purpose) {
  return tier > 0 && purpose == Purpose::Serve ? Purpose::Promote : purpose;
}

}  // namespace

// One look-up on its way through the tiers; the caller's handle to it.
class TieredStore::Chain final : public PendingAnswer, private LookupWaiter {
 public:
  Chain(TieredStore& store, keys::KeyView key, Purpose purpose, LookupWaiter& waiter)
      : store_(store),
        key_bytes_(key.bytes),
        key_{key_bytes_, key.hash},
        purpose_(purpose),
        waiter_(waiter),
        quiet_since_(store.shared_->changes().quiet_since(key)) {}

  // Asks tier after tier until one has it or wants time. The result; empty: wait for on_lookup().
  std::optional<EntryRef> advance() {
    for (; at_ < store_.tiers_.size(); ++at_) {
      Lookup answer = store_.tiers_[at_]->lookup(key_, purpose_at(at_, purpose_), *this);
      pending_ = std::move(answer.pending);
      if (answer.status == Lookup::Status::Pending) return std::nullopt;
      if (answer.status == Lookup::Status::Hit) return found(std::move(answer.entry));
    }
    store_.count_lookup(nullptr, purpose_);
    return nullptr;
  }

 private:
  void on_lookup(EntryRef entry) override {
    pending_.reset();
    std::optional<EntryRef> result;
    if (entry) {
      result = found(std::move(entry));
    } else {
      ++at_;
      result = advance();
    }
    // The waiter may drop this object: nothing comes after.
    if (result) waiter_.on_lookup(std::move(*result));
  }

  EntryRef found(EntryRef entry) {
    WEIR_CHECK(entry->key() == key_);  // or one page would go out as another
    return store_.found(std::move(entry), at_, purpose_, quiet_since_);
  }

  TieredStore& store_;
  const std::string key_bytes_;
  const keys::KeyView key_;
  const Purpose purpose_;
  LookupWaiter& waiter_;
  const std::optional<std::uint64_t> quiet_since_;
  std::size_t at_ = 0;
  std::unique_ptr<PendingAnswer> pending_;  // of the tier at_
};

bool TieredStore::answers_now() const {
  return std::all_of(tiers_.begin(), tiers_.end(),
                     [](const auto& tier) { return tier->answers_now(); });
}

EntryRef TieredStore::lookup_now(keys::KeyView key, Purpose purpose) {
  const std::optional<std::uint64_t> quiet_since = shared_->changes().quiet_since(key);
  for (std::size_t at = 0; at < tiers_.size(); ++at) {
    EntryRef entry = tiers_[at]->lookup_now(key, purpose_at(at, purpose));
    if (!entry) continue;
    return found(std::move(entry), at, purpose, quiet_since);
  }
  if (answers_now()) count_lookup(nullptr, purpose);  // else one that wants time may have it
  return nullptr;
}

Lookup TieredStore::lookup(keys::KeyView key, Purpose purpose, LookupWaiter& waiter) {
  auto chain = std::make_unique<Chain>(*this, key, purpose, waiter);
  std::optional<EntryRef> result = chain->advance();
  if (!result) return {Lookup::Status::Pending, nullptr, std::move(chain)};
  const auto status = *result ? Lookup::Status::Hit : Lookup::Status::Miss;
  return {status, std::move(*result), nullptr};
}

// A change is counted as begun before it reaches the tiers. So one that begins before our second
// look makes us take the copies back, and a later one finds them and removes them itself.
void TieredStore::promote(const EntryRef& entry, std::size_t found_at,
                          std::optional<std::uint64_t> quiet_since) {
  const keys::KeyView key = entry->key();
  if (entry->far_body()) return;  // larger than the nearer ones take as a whole
  if (found_at == 0 || !shared_->changes().still_quiet(key, quiet_since)) return;
  for (std::size_t at = 0; at < found_at; ++at) store_unheard(*tiers_[at], entry);
  if (shared_->changes().still_quiet(key, quiet_since)) return;
  for (std::size_t at = 0; at < found_at; ++at) tiers_[at]->erase(key);
}

// ---- stores ----

// One entry on its way into the tiers, until all of them have said what came of it.
class TieredStore::Write final {
 public:
  Write(TieredStore& store, const EntryRef& entry, StoreWaiter& waiter)
      : store_(store), waiter_(&waiter), change_(store.shared_->changes(), entry->key()) {}

  // Whether all tiers have answered at once.
  bool start(const EntryRef& entry, TieredReservation* admitted) {
    // Farthest first: a reader that misses in a near tier meets the new entry behind it.
    for (std::size_t at = store_.tiers_.size(); at-- > 0;) {
      put(*store_.tiers_[at], entry, admitted ? &admitted->tiers[at] : nullptr);
    }
    if (waiting_ == 0 && result_ == StoreResult::Stored) store_.shared_->count_store();
    return waiting_ == 0;
  }
  StoreResult result() const { return result_; }
  std::unique_ptr<PendingAnswer> handle() { return std::make_unique<Handle>(life_.watch()); }

 private:
  // The caller's: while it exists he is told.
  class Handle final : public PendingAnswer {
   public:
    explicit Handle(Weak<Write> write) : write_(std::move(write)) {}
    ~Handle() override {
      if (Write* write = write_.get()) write->waiter_ = nullptr;
    }

   private:
    const Weak<Write> write_;
  };

  // A tier's share of it.
  class Part final : public StoreWaiter {
   public:
    explicit Part(Write& write) : write_(write) {}
    void on_stored(StoreResult result) override { write_.part_ended(result); }
    std::unique_ptr<PendingAnswer> pending;

   private:
    Write& write_;
  };

  void put(Store& tier, const EntryRef& entry, Admission* admission) {
    if (admission && !*admission) {
      tier.erase(entry->key());  // else an older one would hide the new one behind it
      result_ = better(result_, admission->error());
      return;
    }
    auto part = std::make_unique<Part>(*this);
    Storing storing = tier.store(entry, admission ? std::move(**admission) : nullptr, *part);
    if (storing.result) {
      result_ = better(result_, *storing.result);
      return;
    }
    part->pending = std::move(storing.pending);
    parts_.push_back(std::move(part));
    ++waiting_;
  }

  void part_ended(StoreResult result) {
    result_ = better(result_, result);
    if (--waiting_ > 0) return;
    if (result_ == StoreResult::Stored) store_.shared_->count_store();
    StoreWaiter* const waiter = waiter_;
    const StoreResult final_result = result_;
    store_.writes_.erase(this);  // this object is gone
    if (waiter) waiter->on_stored(final_result);
  }

  TieredStore& store_;
  StoreWaiter* waiter_;
  const Changes::Change change_;
  StoreResult result_ = StoreResult::TooLarge;  // the worst, until a tier has said better
  std::vector<std::unique_ptr<Part>> parts_;    // of the tiers that want time
  std::size_t waiting_ = 0;
  Life<Write> life_{*this};
};

Admission TieredStore::admit(std::optional<std::uint64_t> body_bytes) {
  auto admitted = std::make_unique<TieredReservation>();
  StoreResult result = StoreResult::TooLarge;
  for (const auto& tier : tiers_) {
    const Admission& answer = admitted->tiers.emplace_back(tier->admit(body_bytes));
    result = better(result, answer ? StoreResult::Stored : answer.error());
  }
  if (result != StoreResult::Stored) return std::unexpected(result);
  return admitted;
}

Storing TieredStore::store(EntryRef entry, std::unique_ptr<Reservation> reservation,
                           StoreWaiter& waiter) {
  auto write = std::make_unique<Write>(*this, entry, waiter);
  if (write->start(entry, static_cast<TieredReservation*>(reservation.get()))) {
    return {write->result(), nullptr};
  }
  Write* const raw = write.get();
  writes_.emplace(raw, std::move(write));
  return {std::nullopt, raw->handle()};
}

// ---- inflows ----

std::uint64_t TieredStore::most_whole() const {
  std::uint64_t most = 0;
  for (const auto& tier : tiers_) most = std::max(most, tier->most_whole());
  return most;
}

std::expected<std::unique_ptr<Inflow>, StoreResult> TieredStore::open_inflow(
    std::optional<std::uint64_t> body_bytes) {
  StoreResult result = StoreResult::TooLarge;
  for (std::size_t at = 0; at < tiers_.size(); ++at) {
    auto flow = tiers_[at]->open_inflow(body_bytes);
    if (flow) {
      std::vector<Store*> others;
      for (const auto& tier : tiers_) {
        if (tier != tiers_[at]) others.push_back(tier.get());
      }
      return std::make_unique<TieredInflow>(std::move(*flow), std::move(others), shared_->changes(),
                                            [shared = shared_] { shared->count_store(); });
    }
    result = better(result, flow.error());
  }
  return std::unexpected(result);
}

// The word of the tier that is worst off.
EraseResult TieredStore::erase(keys::KeyView key) {
  const Changes::Change change(shared_->changes(), key);
  bool any_of[4] = {};
  for (const auto& tier : tiers_) any_of[static_cast<std::size_t>(tier->erase(key))] = true;
  for (const EraseResult result :
       {EraseResult::Failed, EraseResult::Started, EraseResult::Erased}) {
    if (any_of[static_cast<std::size_t>(result)]) return result;
  }
  return EraseResult::Absent;
}

// ---- the tiers as one backend ----

std::unique_ptr<Store> Tiered::attach(EventLoop& loop) {
  std::vector<std::unique_ptr<Store>> stores;
  stores.reserve(tiers_.size());
  for (const auto& tier : tiers_) stores.push_back(tier->attach(loop));
  return std::make_unique<TieredStore>(shared_from_this(), std::move(stores));
}

void Tiered::clear() {
  changes_.change_all([this] {
    for (const auto& tier : tiers_) tier->clear();
  });
}

std::uint64_t Tiered::max_object_size() const {
  std::uint64_t largest = 0;
  for (const auto& tier : tiers_) largest = std::max(largest, tier->max_object_size());
  return largest;
}

// Objects and bytes are sums over the tiers, an entry in two of them counts twice.
BackendStats Tiered::stats() const {
  BackendStats sum;
  for (const auto& tier : tiers_) {
    const BackendStats stats = tier->stats();
    sum.objects += stats.objects;
    sum.bytes += stats.bytes;
    sum.evictions += stats.evictions;
    sum.errors += stats.errors;
    sum.dropped += stats.dropped;
    sum.breaker_open = sum.breaker_open || stats.breaker_open;
  }
  sum.hits = hits_.load(std::memory_order_relaxed);
  sum.misses = misses_.load(std::memory_order_relaxed);
  sum.stores = stores_.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace

std::shared_ptr<Backend> make_tiered(std::vector<std::shared_ptr<Backend>> tiers) {
  WEIR_CHECK(!tiers.empty());
  if (tiers.size() == 1) return std::move(tiers.front());
  return std::make_shared<Tiered>(std::move(tiers));
}

}  // namespace weir::backends
