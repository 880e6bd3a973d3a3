// The eviction queues of the RAM store, linked through the entries themselves (Entry::Place). An
// entry in the store is in its shard's table and in one queue; the table holds the store's one
// reference to it, queues hold none. Links are guarded by the policy's lock; the count of uses is
// free for all.
#pragma once

#include <cstdint>
#include <utility>

#include "backends/entry.h"

namespace weir::backends {

constexpr std::uint8_t kMaxUses = 3;

// Relaxed load and store: a use lost between two threads changes nothing that matters, and an entry
// at its maximum is only read.
inline void count_use(const Entry& entry) {
  std::atomic<std::uint8_t>& uses = entry.place().uses;
  const std::uint8_t now = uses.load(std::memory_order_relaxed);
  if (now < kMaxUses) uses.store(now + 1, std::memory_order_relaxed);
}

// Entries in the order of their arrival, and their bytes.
class EntryQueue {
 public:
  bool empty() const { return oldest_ == nullptr; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t count() const { return count_; }
  const Entry* oldest() const { return oldest_; }
  const Entry* newest() const { return newest_; }

  void push(const Entry& entry);
  void remove(const Entry& entry);
  // Puts `entry` where `old` was.
  void replace(const Entry& old, const Entry& entry);

 private:
  const Entry* newest_ = nullptr;
  const Entry* oldest_ = nullptr;
  std::uint64_t bytes_ = 0;
  std::uint64_t count_ = 0;
};

// The store's references to entries that left it, dropped with the list: it is declared before the
// lock is taken, so that entries die outside of it. Allocates nothing.
class Graveyard {
 public:
  Graveyard() = default;
  Graveyard(const Graveyard&) = delete;
  Graveyard& operator=(const Graveyard&) = delete;
  ~Graveyard();

  // Takes over the reference to one that is linked nowhere else.
  void bury(const Entry& entry);
  void bury_all(EntryQueue queue);
  bool empty() const { return first_ == nullptr; }

 private:
  const Entry* first_ = nullptr;  // linked by `older`
};

}  // namespace weir::backends
