// Several backends as one (tiered.h): what its loops share, and its presence on one of them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backends/backend.h"
#include "backends/changes.h"

namespace weir::backends {

using Tiers = std::vector<std::shared_ptr<Backend>>;
using Admission = std::expected<std::unique_ptr<Reservation>, StoreResult>;

// What all loops share: the tiers themselves and the counts.
class Tiered final : public Backend, public std::enable_shared_from_this<Tiered> {
 public:
  explicit Tiered(Tiers tiers);

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

// The tiers as one, on one loop.
class TieredStore final : public Store {
 public:
  TieredStore(std::shared_ptr<Tiered> shared, EventLoop& loop,
              std::vector<std::unique_ptr<Store>> tiers);
  ~TieredStore() override;

  bool answers_now() const override;
  bool is_shared() const override { return tiers_.back()->is_shared(); }
  bool may_have(keys::KeyView key) override {
    return std::ranges::any_of(tiers_, [&](const auto& tier) { return tier->may_have(key); });
  }
  EntryRef lookup_now(keys::KeyView key, Purpose purpose) override;
  Lookup lookup(keys::KeyView key, Purpose purpose, LookupWaiter& waiter) override;
  Admission admit(std::optional<std::uint64_t> body_bytes) override;
  Storing store(EntryRef entry, std::unique_ptr<Reservation> reservation, const StoreTerms& terms,
                StoreWaiter& waiter) override;
  EraseResult erase(keys::KeyView key) override;
  // Of the others all is gone at once.
  std::uint64_t erasures() const override { return shared_tier_ ? shared_tier_->erasures() : 0; }
  std::unique_ptr<PendingAnswer> when_erased(std::uint64_t since, ErasedTold told) override {
    return shared_tier_ ? shared_tier_->when_erased(since, std::move(told)) : nullptr;
  }
  std::unique_ptr<PendingAnswer> claim(keys::KeyView key, std::int64_t for_ms,
                                       ClaimWaiter& waiter) override {
    return shared_tier_ ? shared_tier_->claim(key, for_ms, waiter) : nullptr;
  }
  Listing list(char first_byte, std::uint64_t from, ListWaiter& waiter) override {
    return tiers_.back()->list(first_byte, from, waiter);
  }
  std::uint64_t most_whole() const override;
  std::expected<std::unique_ptr<Inflow>, StoreResult> open_inflow(
      std::optional<std::uint64_t> body_bytes) override;

 private:
  class Chain;
  class Promotion;
  class Write;
  static constexpr std::size_t kSeen = 512;

  // Whether a tier behind that one is shared.
  bool shared_behind(std::size_t at) const {
    return std::ranges::any_of(tiers_.begin() + static_cast<std::ptrdiff_t>(at) + 1, tiers_.end(),
                               [](const auto& tier) { return tier->is_shared(); });
  }
  // Whether what that tier has is not to be used now.
  bool is_bypassed(std::size_t at) const {
    return shared_tier_ && !tiers_[at]->is_shared() && shared_tier_->is_cut_off();
  }
  void promote(const EntryRef& entry, std::size_t found_at,
               std::optional<std::uint64_t> quiet_since);
  void promote_far(const EntryRef& entry, std::size_t found_at,
                   std::optional<std::uint64_t> quiet_since);
  void copy_nearer(const EntryRef& entry, std::size_t found_at,
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
  EventLoop& loop_;
  const std::vector<std::unique_ptr<Store>> tiers_;
  Store* const shared_tier_;  // null: none is
  // Those that some tier has yet to report on; they go on when their caller has lost interest.
  std::unordered_map<Write*, std::unique_ptr<Write>> writes_;
  std::unordered_map<Promotion*, std::unique_ptr<Promotion>> promotions_;
  // Large objects of a shared tier that were asked for lately: half of each one's hash.
  std::array<std::uint64_t, kSeen> seen_{};
};

}  // namespace weir::backends
