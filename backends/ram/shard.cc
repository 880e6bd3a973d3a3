#include "backends/ram/shard.h"

#include <utility>

#include "base/check.h"

namespace weir::backends {
namespace {

constexpr std::uint32_t kInitialSlots = 8;

// The only writer holds a lock, so that a plain load and store do.
void bump(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

NodeTable::NodeTable()
    : slots_(std::make_unique<Slot[]>(kInitialSlots)), mask_(kInitialSlots - 1) {}

NodeTable::Slot* NodeTable::find(keys::KeyView key) const {
  for (std::uint64_t at = key.hash.low;; ++at) {
    Slot& slot = slots_[at & mask_];
    if (slot.node == nullptr) return nullptr;
    if (slot.hash == key.hash.low && slot.entry->key().bytes == key.bytes) return &slot;
  }
}

void NodeTable::insert(Node& node) {
  if ((size_ + 1) * 3 > (mask_ + 1) * 2) grow();
  place({node.entry->key().hash.low, node.entry.get(), &node});
  ++size_;
}

void NodeTable::place(const Slot& slot) {
  std::uint64_t at = slot.hash;
  while (slots_[at & mask_].node) ++at;
  slots_[at & mask_] = slot;
}

void NodeTable::erase(keys::KeyView key) {
  Slot* slot = find(key);
  WEIR_CHECK(slot != nullptr);
  auto hole = static_cast<std::uint32_t>(slot - slots_.get());
  // Whoever was pushed past the hole moves back into it, so that every run stays unbroken.
  for (std::uint32_t at = (hole + 1) & mask_; slots_[at].node; at = (at + 1) & mask_) {
    const auto home = static_cast<std::uint32_t>(slots_[at].hash);
    if (((at - home) & mask_) < ((at - hole) & mask_)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = {};
  --size_;
}

void NodeTable::refresh(Node& node) {
  for (std::uint64_t at = node.entry->key().hash.low;; ++at) {
    Slot& slot = slots_[at & mask_];
    WEIR_CHECK(slot.node != nullptr);
    if (slot.node != &node) continue;
    slot.entry = node.entry.get();
    return;
  }
}

void NodeTable::grow() {
  const std::uint32_t old_size = mask_ + 1;
  const std::unique_ptr<Slot[]> old =
      std::exchange(slots_, std::make_unique<Slot[]>(std::size_t{old_size} * 2));
  mask_ = old_size * 2 - 1;
  for (std::uint32_t at = 0; at < old_size; ++at) {
    if (old[at].node) place(old[at]);
  }
}

EntryRef Shard::find(keys::KeyView key, Purpose purpose) {
  const std::lock_guard lock(mutex_);
  const NodeTable::Slot* slot = table_.find(key);
  if (purpose == Purpose::Serve) count(slot);
  return EntryRef(slot ? slot->entry : nullptr);
}

void Shard::count(const NodeTable::Slot* slot) {
  if (!slot) return bump(misses_);
  slot->node->count_use();
  if (slot->entry->kind() == Entry::Kind::Response) bump(hits_);
}

Node* Shard::find_node(keys::KeyView key) {
  const std::lock_guard lock(mutex_);
  const NodeTable::Slot* slot = table_.find(key);
  return slot ? slot->node : nullptr;
}

void Shard::insert(Node& node) {
  const std::lock_guard lock(mutex_);
  table_.insert(node);
}

void Shard::erase(const Node& node) {
  const std::lock_guard lock(mutex_);
  table_.erase(node.entry->key());
}

NodeTable Shard::take_all() {
  NodeTable fresh;
  const std::lock_guard lock(mutex_);
  std::swap(table_, fresh);
  return fresh;
}

}  // namespace weir::backends
