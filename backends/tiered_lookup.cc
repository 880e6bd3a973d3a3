// A look-up on its way through the tiers.
#include <string>
#include <utility>

#include "backends/tiered_store.h"
#include "base/check.h"

namespace weir::backends {

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

  // Asks tier after tier until one has what will do, or wants time. The result; empty: wait for
  // on_lookup().
  std::optional<EntryRef> advance() {
    for (; at_ < store_.tiers_.size(); ++at_) {
      if (store_.is_bypassed(at_)) continue;
      Lookup answer = store_.tiers_[at_]->lookup(key_, purpose_at(at_, purpose_), *this);
      pending_ = std::move(answer.pending);
      if (answer.status == Lookup::Status::Pending) return std::nullopt;
      if (answer.status == Lookup::Status::Hit && is_end(std::move(answer.entry))) break;
    }
    if (best_) return store_.found(std::move(best_), best_at_, passes_on(), quiet_since_);
    store_.count_lookup(nullptr, purpose_);
    return nullptr;
  }

 private:
  void on_lookup(EntryRef entry) override {
    pending_.reset();
    if (entry && is_end(std::move(entry))) {
      at_ = store_.tiers_.size();
    } else {
      ++at_;
    }
    std::optional<EntryRef> result = advance();
    // The waiter may drop this object: nothing comes after.
    if (result) waiter_.on_lookup(std::move(*result));
  }

  // Whether no further tier is to be asked; the newest so far is the best.
  bool is_end(EntryRef entry) {
    WEIR_CHECK(entry->key() == key_);  // or one page would go out as another
    const bool is_last = !store_.shared_behind(at_);
    const bool is_enough = (is_last && !best_) || waiter_.is_enough(*entry);
    if (!best_ || is_enough || entry->meta().response_ms > best_->meta().response_ms) {
      passed_over_ = best_ != nullptr;
      best_ = std::move(entry);
      best_at_ = at_;
    }
    return is_last || is_enough;
  }
  // What is better than what the nearer ones have takes its place there, whatever it was asked for.
  Purpose passes_on() const { return passed_over_ ? Purpose::Serve : purpose_; }

  TieredStore& store_;
  const std::string key_bytes_;
  const keys::KeyView key_;
  const Purpose purpose_;
  LookupWaiter& waiter_;
  const std::optional<std::uint64_t> quiet_since_;
  std::size_t at_ = 0;
  std::unique_ptr<PendingAnswer> pending_;  // of the tier at_
  EntryRef best_;                           // so far
  std::size_t best_at_ = 0;                 // the tier that had it
  bool passed_over_ = false;                // a nearer one had another
};

bool TieredStore::answers_now() const {
  return std::all_of(tiers_.begin(), tiers_.end(),
                     [](const auto& tier) { return tier->answers_now(); });
}

EntryRef TieredStore::lookup_now(keys::KeyView key, Purpose purpose) {
  const std::optional<std::uint64_t> quiet_since = shared_->changes().quiet_since(key);
  for (std::size_t at = 0; at < tiers_.size(); ++at) {
    // Who merely looks may know of it.
    if (purpose != Purpose::Probe && is_bypassed(at)) continue;
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
  if (found_at == 0) return;
  if (entry->far_body()) return promote_far(entry, found_at, quiet_since);
  copy_nearer(entry, found_at, quiet_since);
}

void TieredStore::copy_nearer(const EntryRef& entry, std::size_t found_at,
                              std::optional<std::uint64_t> quiet_since) {
  const keys::KeyView key = entry->key();
  if (!shared_->changes().still_quiet(key, quiet_since)) return;
  for (std::size_t at = 0; at < found_at; ++at) store_unheard(*tiers_[at], entry);
  if (shared_->changes().still_quiet(key, quiet_since)) return;
  for (std::size_t at = 0; at < found_at; ++at) tiers_[at]->erase(key);
}

}  // namespace weir::backends
