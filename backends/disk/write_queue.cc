#include "backends/disk/write_queue.h"

#include <utility>

namespace weir::backends::disk {
namespace {

// What an erasure takes of the queue's memory.
constexpr std::uint64_t kErasureBytes = 128;

}  // namespace

bool WriteQueue::reserve(std::uint64_t bytes) {
  std::uint64_t sum = bytes_.load(std::memory_order_relaxed);
  do {
    if (sum > 0 && sum + bytes > most_bytes_) return false;
  } while (!bytes_.compare_exchange_weak(sum, sum + bytes, std::memory_order_relaxed));
  return true;
}

void WriteQueue::release(std::uint64_t bytes) {
  bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

// ---- changes ----

// There is always room for one.
void WriteQueue::push_erasure_locked(const Hash128& key) {
  bytes_.fetch_add(kErasureBytes, std::memory_order_relaxed);
  push_locked({key, nullptr, kErasureBytes, 0, {}});
}

void WriteQueue::push_locked(Item&& item) {
  item.version = ++versions_;
  pending_[item.key] = {item.entry, item.version};
  pending_count_.store(pending_.size(), std::memory_order_release);
  if (recovering_) changed_.insert(item.key);
  items_.push_back(std::move(item));
}

void WriteQueue::put(const Hash128& key, EntryRef entry, std::uint64_t bytes, Heard heard) {
  const std::lock_guard lock(mutex_);
  claims_.erase(key);
  push_locked({key, std::move(entry), bytes, 0, std::move(heard)});
}

WriteQueue::Claim WriteQueue::claim(const Hash128& key) {
  const std::lock_guard lock(mutex_);
  erase_locked(key);
  return claims_[key] = ++versions_;
}

bool WriteQueue::put_claimed(const Hash128& key, Claim claim, EntryRef&& entry, std::uint64_t bytes,
                             Heard&& heard) {
  const std::lock_guard lock(mutex_);
  const auto claimed = claims_.find(key);
  if (claimed == claims_.end() || claimed->second != claim) {
    release(bytes);
    return false;
  }
  claims_.erase(claimed);
  push_locked({key, std::move(entry), bytes, 0, std::move(heard)});
  return true;
}

void WriteQueue::drop_claim(const Hash128& key, Claim claim) {
  const std::lock_guard lock(mutex_);
  const auto claimed = claims_.find(key);
  if (claimed != claims_.end() && claimed->second == claim) claims_.erase(claimed);
}

EraseResult WriteQueue::erase(const Hash128& key) {
  const std::lock_guard lock(mutex_);
  return erase_locked(key);
}

EraseResult WriteQueue::erase_locked(const Hash128& key) {
  claims_.erase(key);
  const auto pending = pending_.find(key);
  if (pending != pending_.end() && !pending->second.entry) return EraseResult::Absent;
  const bool stood_there = index_.erase(key).has_value() || pending != pending_.end();
  if (!stood_there && !recovering_) return EraseResult::Absent;
  push_erasure_locked(key);
  return stood_there ? EraseResult::Erased : EraseResult::Started;
}

// Nor may it be met again at the next start: it is erased like any other.
void WriteQueue::forget(const Hash128& key, const RecordPlace& place) {
  const std::lock_guard lock(mutex_);
  if (!index_.erase_at(key, place) || pending_.contains(key)) return;
  push_erasure_locked(key);
}

void WriteQueue::clear() {
  std::deque<Item> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(items_);
    pending_.clear();
    claims_.clear();
    pending_count_.store(0, std::memory_order_release);
    changed_.clear();
    recovering_ = false;
    index_.clear();
    clear_first_ = true;
  }
  for (Item& item : dropped) {
    release(item.bytes);
    if (item.heard) item.heard(StoreResult::Stored);  // it was, and has gone with all others
  }
}

void WriteQueue::drop_written() {
  const std::lock_guard lock(mutex_);
  index_.clear();
  recovering_ = false;
  changed_.clear();
}

std::optional<EntryRef> WriteQueue::find(const Hash128& key) {
  if (pending_count_.load(std::memory_order_acquire) == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto pending = pending_.find(key);
  return pending == pending_.end() ? std::nullopt : std::optional(pending->second.entry);
}

std::vector<EntryRef> WriteQueue::entries(char first_byte) {
  std::vector<EntryRef> entries;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, pending] : pending_) {
    if (!pending.entry || !pending.entry->key().bytes.starts_with(first_byte)) continue;
    entries.push_back(pending.entry);
  }
  return entries;
}

WriteQueue::Standing WriteQueue::standing(const Hash128& key) {
  const std::lock_guard lock(mutex_);
  const auto pending = pending_.find(key);
  if (pending != pending_.end()) return {pending->second.entry, std::nullopt};
  const auto place = index_.peek(key);
  return {nullptr, place, !place && recovering_ && !changed_.contains(key)};
}

// ---- the writer ----

WriteQueue::Group WriteQueue::take(std::uint64_t bytes) {
  Group group;
  std::vector<Item> replaced;
  {
    const std::lock_guard lock(mutex_);
    group.clear_first = std::exchange(clear_first_, false);
    std::uint64_t sum = 0;
    while (!items_.empty() && sum < bytes) {
      Item item = std::move(items_.front());
      items_.pop_front();
      const auto pending = pending_.find(item.key);
      if (pending == pending_.end() || pending->second.version != item.version) {
        replaced.push_back(std::move(item));
        continue;
      }
      sum += item.bytes;
      group.items.push_back(std::move(item));
    }
  }
  for (Item& item : replaced) {
    release(item.bytes);
    if (item.heard) item.heard(StoreResult::Stored);
  }
  return group;
}

bool WriteQueue::empty() {
  const std::lock_guard lock(mutex_);
  return items_.empty() && !clear_first_;
}

void WriteQueue::settle(const Item& item, StoreResult result, const RecordPlace& place) {
  {
    const std::lock_guard lock(mutex_);
    const auto pending = pending_.find(item.key);
    // Else it was replaced, or all was cleared, while it was being written.
    if (pending != pending_.end() && pending->second.version == item.version) {
      if (item.entry && result == StoreResult::Stored) {
        index_.put(item.key, place);
      } else {
        index_.erase(item.key);
      }
      pending_.erase(pending);
      pending_count_.store(pending_.size(), std::memory_order_release);
    }
  }
  release(item.bytes);
}

// ---- recovery ----

void WriteQueue::begin_recovery() {
  const std::lock_guard lock(mutex_);
  recovering_ = true;
}

void WriteQueue::end_recovery() {
  const std::lock_guard lock(mutex_);
  recovering_ = false;
  changed_ = {};
}

void WriteQueue::recovered(const Hash128& key, const RecordPlace& place) {
  const std::lock_guard lock(mutex_);
  if (!recovering_ || changed_.contains(key)) return;
  index_.put_if_absent(key, place);
}

}  // namespace weir::backends::disk
