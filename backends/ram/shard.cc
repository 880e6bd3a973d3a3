#include "backends/ram/shard.h"

#include <utility>

#include "base/check.h"

namespace weir::backends {
namespace {

constexpr std::uint64_t kInitialSlots = 4;

// The only writer holds a lock, so that a plain load and store do.
void bump(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

EntryTable::Slot::Slot(const Entry& entry)
    : bits_(reinterpret_cast<std::uint64_t>(&entry) | (entry.key().hash.low >> kTagShift)
                                                          << kTagShift) {
  WEIR_CHECK(this->entry() == &entry);
}

EntryTable::EntryTable()
    : slots_(std::make_unique<Slot[]>(kInitialSlots)), mask_(kInitialSlots - 1) {}

EntryTable::Slot* EntryTable::find_slot(keys::KeyView key) const {
  for (std::uint64_t at = key.hash.low;; ++at) {
    Slot& slot = slots_[at & mask_];
    if (slot.is_empty()) return nullptr;
    if (slot.may_be(key.hash.low) && slot.entry()->key() == key) return &slot;
  }
}

const Entry* EntryTable::find(keys::KeyView key) const {
  const Slot* slot = find_slot(key);
  return slot ? slot->entry() : nullptr;
}

void EntryTable::insert(const Entry& entry) {
  if ((size_ + 1) * 4 > (mask_ + 1) * 3) grow();
  place(Slot(entry));
  ++size_;
}

void EntryTable::place(const Slot& slot) {
  std::uint64_t at = home_of(slot);
  while (!slots_[at].is_empty()) at = (at + 1) & mask_;
  slots_[at] = slot;
}

void EntryTable::erase(keys::KeyView key) {
  Slot* slot = find_slot(key);
  WEIR_CHECK(slot != nullptr);
  auto hole = static_cast<std::uint64_t>(slot - slots_.get());
  // Whoever was pushed past the hole moves back into it, so that every run stays unbroken.
  for (std::uint64_t at = (hole + 1) & mask_; !slots_[at].is_empty(); at = (at + 1) & mask_) {
    if (((at - home_of(slots_[at])) & mask_) < ((at - hole) & mask_)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = {};
  --size_;
}

void EntryTable::replace(const Entry& old, const Entry& entry) {
  Slot* slot = find_slot(old.key());
  WEIR_CHECK(slot != nullptr && slot->entry() == &old);
  *slot = Slot(entry);
}

// In the order of the slots' numbers read backwards, from the lowest bit up: a table that has grown
// meanwhile has split each slot in two, and those lie behind one another in this order, too.
std::uint64_t EntryTable::behind(std::uint64_t slot) const {
  for (std::uint64_t bit = (mask_ + 1) >> 1U; bit != 0; bit >>= 1U) {
    slot ^= bit;
    if ((slot & bit) != 0) return slot;
  }
  return 0;
}

// Who belongs to a slot is found from there on, before the next empty one.
template <class Visit>
std::uint64_t EntryTable::visit_some(std::uint64_t from, Visit visit) const {
  for (int i = 0; i < kVisitedSlots; ++i) {
    const std::uint64_t home = from & mask_;
    for (std::uint64_t at = home; !slots_[at].is_empty(); at = (at + 1) & mask_) {
      if (home_of(slots_[at]) == home) visit(*slots_[at].entry());
    }
    from = behind(home);
    if (from == 0) break;
  }
  return from;
}

void EntryTable::grow() {
  const std::uint64_t old_size = mask_ + 1;
  const std::unique_ptr<Slot[]> old = std::exchange(slots_, std::make_unique<Slot[]>(old_size * 2));
  mask_ = old_size * 2 - 1;
  for (std::uint64_t at = 0; at < old_size; ++at) {
    if (!old[at].is_empty()) place(old[at]);
  }
}

EntryRef Shard::find(keys::KeyView key, Purpose purpose) {
  const std::lock_guard lock(mutex_);
  const Entry* found = table_.find(key);
  if (purpose != Purpose::Probe) count(found);
  return EntryRef(found);
}

void Shard::count(const Entry* found) {
  if (!found) return bump(misses_);
  count_use(*found);
  if (found->kind() == Entry::Kind::Response) bump(hits_);
}

const Entry* Shard::find_entry(keys::KeyView key) {
  const std::lock_guard lock(mutex_);
  return table_.find(key);
}

void Shard::insert(const Entry& entry) {
  const std::lock_guard lock(mutex_);
  table_.insert(entry);
}

void Shard::erase(const Entry& entry) {
  const std::lock_guard lock(mutex_);
  table_.erase(entry.key());
}

void Shard::replace(const Entry& old, const Entry& entry) {
  const std::lock_guard lock(mutex_);
  table_.replace(old, entry);
}

EntryTable Shard::take_all() {
  EntryTable fresh;
  const std::lock_guard lock(mutex_);
  std::swap(table_, fresh);
  return fresh;
}

std::uint64_t Shard::list_some(char first_byte, std::uint64_t from, std::vector<Listed>& into) {
  const std::lock_guard lock(mutex_);
  return table_.visit_some(from, [&](const Entry& entry) {
    const std::string_view key = entry.key().bytes;
    if (!key.starts_with(first_byte) || entry.kind() != EntryKind::Response) return;
    into.push_back({std::string(key), entry.meta(), entry.body_size()});
  });
}

}  // namespace weir::backends
