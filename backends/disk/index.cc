#include "backends/disk/index.h"

#include <algorithm>

#include "backends/disk/frame.h"
#include "base/check.h"

namespace weir::backends::disk {
namespace {

constexpr std::size_t kLeastSlots = 16;
// Full to seven eighths at most, and a third larger then: where there are many objects one costs
// 24 / (7/8 / (4/3)) bytes at worst, 37, and the tables of all shards never grow at once.
constexpr std::size_t most_in(std::size_t capacity) {
  return capacity - capacity / 8;
}

std::uint32_t in_units(std::uint64_t bytes) {
  WEIR_CHECK(bytes % kAlignment == 0 && bytes < RecordPlace::kMostAt);
  return static_cast<std::uint32_t>(bytes / kAlignment);
}

}  // namespace

Index::Slot Index::slot_of(std::uint64_t tag, const RecordPlace& place) {
  WEIR_CHECK(place.size > 0);  // or it would be a free one
  return {
      .tag = tag, .segment = place.segment, .at = in_units(place.at), .size = in_units(place.size)};
}

RecordPlace Index::place_of(const Slot& slot) {
  return {slot.segment, slot.at * kAlignment, slot.size * kAlignment};
}

// ---- a shard ----

// Not a remainder: the capacity is no power of two, and a division costs more than the look-up.
std::size_t Index::Shard::home(std::uint64_t tag) const {
  return static_cast<std::size_t>((tag >> 32U) * capacity >> 32U);
}

Index::Slot* Index::Shard::find(std::uint64_t tag) const {
  if (capacity == 0) return nullptr;
  for (std::size_t i = home(tag);; i = i + 1 == capacity ? 0 : i + 1) {
    Slot& slot = slots[i];
    if (slot.size == 0) return nullptr;
    if (slot.tag == tag) return &slot;
  }
}

// A free slot for a tag that is not there.
Index::Slot& Index::Shard::make_room(std::uint64_t tag) {
  if (count >= most_in(capacity)) grow();
  ++count;
  std::size_t i = home(tag);
  while (slots[i].size != 0) i = i + 1 == capacity ? 0 : i + 1;
  return slots[i];
}

void Index::Shard::grow() {
  const std::unique_ptr<Slot[]> old = std::move(slots);
  const std::size_t old_capacity = capacity;
  capacity = std::max(kLeastSlots, capacity + capacity / 3);
  WEIR_CHECK(capacity <= UINT32_MAX);  // home() multiplies it by 32 bits
  slots = std::make_unique<Slot[]>(capacity);
  count = 0;
  for (std::size_t i = 0; i < old_capacity; ++i) {
    if (old[i].size != 0) make_room(old[i].tag) = old[i];
  }
}

// Those that had to step aside for it move up, so that no search ends at the gap.
void Index::Shard::erase(Slot& slot) {
  --count;
  std::size_t gap = static_cast<std::size_t>(&slot - slots.get());
  slots[gap] = {};
  for (std::size_t i = gap + 1 == capacity ? 0 : gap + 1; slots[i].size != 0;
       i = i + 1 == capacity ? 0 : i + 1) {
    // How far from its home it lies, and would lie in the gap: not before its home.
    const std::size_t from_home = (i + capacity - home(slots[i].tag)) % capacity;
    const std::size_t from_gap = (i + capacity - gap) % capacity;
    if (from_home < from_gap) continue;
    slots[gap] = slots[i];
    slots[i] = {};
    gap = i;
  }
}

// ---- the index ----

std::optional<RecordPlace> Index::find(const Hash128& key) {
  Shard& owner = shard(key);
  const std::lock_guard lock(owner.mutex);
  Slot* const slot = owner.find(key.low);
  if (slot == nullptr) return std::nullopt;
  slot->used = 1;
  return place_of(*slot);
}

std::optional<RecordPlace> Index::peek(const Hash128& key) const {
  const Shard& owner = shard(key);
  const std::lock_guard lock(owner.mutex);
  const Slot* const slot = owner.find(key.low);
  return slot ? std::optional(place_of(*slot)) : std::nullopt;
}

std::optional<RecordPlace> Index::put(const Hash128& key, const RecordPlace& place) {
  const Slot made = slot_of(key.low, place);
  Shard& owner = shard(key);
  const std::lock_guard lock(owner.mutex);
  if (Slot* const slot = owner.find(key.low)) {
    const RecordPlace before = place_of(*slot);
    *slot = made;
    return before;
  }
  owner.make_room(key.low) = made;
  return std::nullopt;
}

bool Index::put_if_absent(const Hash128& key, const RecordPlace& place) {
  const Slot made = slot_of(key.low, place);
  Shard& owner = shard(key);
  const std::lock_guard lock(owner.mutex);
  if (owner.find(key.low) != nullptr) return false;
  owner.make_room(key.low) = made;
  return true;
}

bool Index::move(const Hash128& key, const RecordPlace& from, const RecordPlace& to) {
  const Slot made = slot_of(key.low, to);
  Shard& owner = shard(key);
  const std::lock_guard lock(owner.mutex);
  Slot* const slot = owner.find(key.low);
  if (slot == nullptr || place_of(*slot) != from) return false;
  *slot = made;
  return true;
}

std::optional<RecordPlace> Index::erase(const Hash128& key) {
  Shard& owner = shard(key);
  const std::lock_guard lock(owner.mutex);
  Slot* const slot = owner.find(key.low);
  if (slot == nullptr) return std::nullopt;
  const RecordPlace before = place_of(*slot);
  owner.erase(*slot);
  return before;
}

bool Index::erase_at(const Hash128& key, const RecordPlace& place) {
  Shard& owner = shard(key);
  const std::lock_guard lock(owner.mutex);
  Slot* const slot = owner.find(key.low);
  if (slot == nullptr || place_of(*slot) != place) return false;
  owner.erase(*slot);
  return true;
}

std::size_t Index::erase_segment(std::uint32_t segment) {
  std::size_t erased = 0;
  for (Shard& owner : shards_) {
    const std::lock_guard lock(owner.mutex);
    for (std::size_t i = 0; i < owner.capacity;) {
      Slot& slot = owner.slots[i];
      if (slot.size != 0 && slot.segment == segment) {
        owner.erase(slot);  // another one may have moved up into it
        ++erased;
      } else {
        ++i;
      }
    }
  }
  return erased;
}

void Index::clear() {
  for (Shard& owner : shards_) {
    const std::lock_guard lock(owner.mutex);
    owner.slots.reset();
    owner.capacity = owner.count = 0;
  }
}

Index::State Index::state(const Hash128& key, const RecordPlace& place) const {
  const Shard& owner = shard(key);
  const std::lock_guard lock(owner.mutex);
  const Slot* const slot = owner.find(key.low);
  if (slot == nullptr || place_of(*slot) != place) return State::Gone;
  return slot->used != 0 ? State::Used : State::Unused;
}

std::size_t Index::size() const {
  std::size_t sum = 0;
  for (const Shard& owner : shards_) {
    const std::lock_guard lock(owner.mutex);
    sum += owner.count;
  }
  return sum;
}

std::size_t Index::bytes() const {
  std::size_t sum = sizeof(*this);
  for (const Shard& owner : shards_) {
    const std::lock_guard lock(owner.mutex);
    sum += owner.capacity * sizeof(Slot);
  }
  return sum;
}

}  // namespace weir::backends::disk
