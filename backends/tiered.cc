#include "backends/tiered.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <utility>

#include "base/check.h"

namespace weir::backends {
namespace {

std::string joined_names(const std::vector<std::shared_ptr<Backend>>& tiers) {
  std::string names;
  for (const auto& tier : tiers) names += (names.empty() ? "" : "+") + tier->name();
  return names;
}

// Counts the stores and erasures that have begun and that have ended, by groups of keys, so that
// a look-up knows whether any touched its key while it was under way.
class Changes {
  struct Group {
    std::atomic<std::uint64_t> begun{0};
    std::atomic<std::uint64_t> ended{0};
  };

 public:
  // One change of a key, from construction to destruction.
  class Change {
   public:
    Change(Changes& changes, keys::KeyView key) : group_(changes.group(key)) { ++group_.begun; }
    ~Change() { ++group_.ended; }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

   private:
    Group& group_;
  };

  // A number that differs after the next change began; empty while one is under way.
  std::optional<std::uint64_t> quiet_since(keys::KeyView key) {
    Group& group = this->group(key);
    const std::uint64_t ended = group.ended.load();  // first: it never passes the other
    const std::uint64_t begun = group.begun.load();
    return begun == ended ? std::optional(begun) : std::nullopt;
  }
  bool still_quiet(keys::KeyView key, std::optional<std::uint64_t> since) {
    return since && group(key).begun.load() == *since;
  }
  // A change of every key.
  template <class Apply>
  void change_all(Apply apply) {
    for (Group& group : groups_) ++group.begun;
    apply();
    for (Group& group : groups_) ++group.ended;
  }

 private:
  Group& group(keys::KeyView key) { return groups_[key.hash.low % groups_.size()]; }

  std::array<Group, 256> groups_{};
};

class Tiered final : public Backend, public std::enable_shared_from_this<Tiered> {
 public:
  explicit Tiered(std::vector<std::shared_ptr<Backend>> tiers)
      : tiers_(std::move(tiers)), name_(joined_names(tiers_)) {}

  const std::string& name() const override { return name_; }
  Lookup lookup(keys::KeyView key, EventLoop& loop, LookupWaiter& waiter) override;
  void store(EntryRef entry) override;
  void erase(keys::KeyView key) override;
  void clear() override;
  EntryRef lookup_now(keys::KeyView key) override;

  std::uint64_t max_object_size() const override;
  std::int64_t default_expire_s() const override { return tiers_.front()->default_expire_s(); }
  BackendStats stats() const override;

 private:
  class Chain;
  void promote(const EntryRef& entry, std::size_t found_at,
               std::optional<std::uint64_t> quiet_since);
  void count(bool hit) { (hit ? hits_ : misses_).fetch_add(1, std::memory_order_relaxed); }

  const std::vector<std::shared_ptr<Backend>> tiers_;
  const std::string name_;
  Changes changes_;
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<std::uint64_t> stores_{0};
};

// One look-up on its way through the tiers; the caller's handle to it. Loop thread only.
class Tiered::Chain final : public PendingLookup, private LookupWaiter {
 public:
  Chain(std::shared_ptr<Tiered> tiered, keys::KeyView key, EventLoop& loop, LookupWaiter& waiter)
      : tiered_(std::move(tiered)),
        key_bytes_(key.bytes),
        key_{key_bytes_, key.hash},
        loop_(loop),
        waiter_(waiter),
        quiet_since_(tiered_->changes_.quiet_since(key)) {}

  // Asks tier after tier until one has it or wants time. The result; empty: wait for on_lookup().
  std::optional<EntryRef> advance() {
    for (; at_ < tiered_->tiers_.size(); ++at_) {
      Lookup answer = tiered_->tiers_[at_]->lookup(key_, loop_, *this);
      pending_ = std::move(answer.pending);
      if (answer.status == Lookup::Status::Pending) return std::nullopt;
      if (answer.status == Lookup::Status::Hit) return found(std::move(answer.entry));
    }
    return finish(nullptr);
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
    tiered_->promote(entry, at_, quiet_since_);
    return finish(std::move(entry));
  }

  EntryRef finish(EntryRef entry) {
    tiered_->count(entry != nullptr);
    return entry;
  }

  const std::shared_ptr<Tiered> tiered_;
  const std::string key_bytes_;
  const keys::KeyView key_;
  EventLoop& loop_;
  LookupWaiter& waiter_;
  const std::optional<std::uint64_t> quiet_since_;
  std::size_t at_ = 0;
  std::unique_ptr<PendingLookup> pending_;  // of the tier at_
};

Lookup Tiered::lookup(keys::KeyView key, EventLoop& loop, LookupWaiter& waiter) {
  auto chain = std::make_unique<Chain>(shared_from_this(), key, loop, waiter);
  std::optional<EntryRef> result = chain->advance();
  if (!result) return {Lookup::Status::Pending, nullptr, std::move(chain)};
  const auto status = *result ? Lookup::Status::Hit : Lookup::Status::Miss;
  return {status, std::move(*result), nullptr};
}

// A change is counted as begun before it reaches the tiers. So one that begins before our second
// look makes us take the copies back, and a later one finds them and removes them itself.
void Tiered::promote(const EntryRef& entry, std::size_t found_at,
                     std::optional<std::uint64_t> quiet_since) {
  const keys::KeyView key = entry->key();
  if (found_at == 0 || !changes_.still_quiet(key, quiet_since)) return;
  for (std::size_t at = 0; at < found_at; ++at) tiers_[at]->store(entry);
  if (changes_.still_quiet(key, quiet_since)) return;
  for (std::size_t at = 0; at < found_at; ++at) tiers_[at]->erase(key);
}

// Farthest first: a reader that misses in a near tier meets the new entry behind it.
void Tiered::store(EntryRef entry) {
  const Changes::Change change(changes_, entry->key());
  for (auto tier = tiers_.rbegin(); tier != tiers_.rend(); ++tier) {
    if (entry->body().size() <= (*tier)->max_object_size()) {
      (*tier)->store(entry);
    } else {
      (*tier)->erase(entry->key());  // else an older one would hide the new one behind it
    }
  }
  stores_.fetch_add(1, std::memory_order_relaxed);
}

void Tiered::erase(keys::KeyView key) {
  const Changes::Change change(changes_, key);
  for (const auto& tier : tiers_) tier->erase(key);
}

void Tiered::clear() {
  changes_.change_all([this] {
    for (const auto& tier : tiers_) tier->clear();
  });
}

EntryRef Tiered::lookup_now(keys::KeyView key) {
  for (const auto& tier : tiers_) {
    if (EntryRef entry = tier->lookup_now(key)) {
      count(true);
      return entry;
    }
  }
  return nullptr;  // no miss yet: a tier that wants time may have it
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
