#include "backends/tiered.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "backends/tiered_inflow.h"
#include "backends/tiered_promotion.h"
#include "backends/tiered_store.h"
#include "base/check.h"
#include "base/life.h"

namespace weir::backends {
namespace {

std::string joined_names(const std::vector<std::shared_ptr<Backend>>& tiers) {
  std::string names;
  for (const auto& tier : tiers) names += (names.empty() ? "" : "+") + tier->name();
  return names;
}

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

}  // namespace

Tiered::Tiered(Tiers tiers) : tiers_(std::move(tiers)), name_(joined_names(tiers_)) {}

// ---- stores ----

// One entry on its way into the tiers, until all of them have said what came of it.
class TieredStore::Write final {
 public:
  Write(TieredStore& store, const EntryRef& entry, const StoreTerms& terms, StoreWaiter& waiter)
      : store_(store),
        terms_(terms),
        waiter_(&waiter),
        change_(store.shared_->changes(), entry->key()) {}

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
    Storing storing =
        tier.store(entry, admission ? std::move(**admission) : nullptr, terms_, *part);
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
  const StoreTerms terms_;
  StoreWaiter* waiter_;
  const Changes::Change change_;
  StoreResult result_ = StoreResult::TooLarge;  // the worst, until a tier has said better
  std::vector<std::unique_ptr<Part>> parts_;    // of the tiers that want time
  std::size_t waiting_ = 0;
  Life<Write> life_{*this};
};

namespace {

Store* first_shared(const std::vector<std::unique_ptr<Store>>& tiers) {
  const auto found =
      std::ranges::find_if(tiers, [](const auto& tier) { return tier->is_shared(); });
  return found == tiers.end() ? nullptr : found->get();
}

}  // namespace

TieredStore::TieredStore(std::shared_ptr<Tiered> shared, EventLoop& loop,
                         std::vector<std::unique_ptr<Store>> tiers)
    : shared_(std::move(shared)),
      loop_(loop),
      tiers_(std::move(tiers)),
      shared_tier_(first_shared(tiers_)) {}

TieredStore::~TieredStore() = default;

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
                           const StoreTerms& terms, StoreWaiter& waiter) {
  auto write = std::make_unique<Write>(*this, entry, terms, waiter);
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
  return std::make_unique<TieredStore>(shared_from_this(), loop, std::move(stores));
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

std::shared_ptr<Backend> make_tiered(std::vector<std::shared_ptr<Backend>> tiers) {
  WEIR_CHECK(!tiers.empty());
  if (tiers.size() == 1) return std::move(tiers.front());
  return std::make_shared<Tiered>(std::move(tiers));
}

}  // namespace weir::backends
