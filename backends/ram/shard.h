// One part of the RAM store's index: an open-addressing table from key to entry, behind one short
// lock. A look-up touches the slot and then the entry, whose key lies in its own block. Any thread.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "backends/backend.h"
#include "backends/ram/entry_queue.h"

namespace weir::backends {

// Linear probing, at most three quarters full, no tombstones. Keys of equal hash live side by side.
// Holds no references: that is the affair of whoever inserts and erases.
class EntryTable {
 public:
  EntryTable();

  // The entry of this very key, bytes compared; null when there is none.
  const Entry* find(keys::KeyView key) const;
  // The key is absent.
  void insert(const Entry& entry);
  // The key is present.
  void erase(keys::KeyView key);
  // `old` is present, and `entry` of the same key.
  void replace(const Entry& old, const Entry& entry);

  // Visits the entries of some slots: `from` is 0, or what the last call returned, 0 again at the
  // end. Who is there from the first call to the last is visited, also when the table has grown.
  template <class Visit>
  std::uint64_t visit_some(std::uint64_t from, Visit visit) const;

 private:
  static constexpr int kVisitedSlots = 256;

  // An entry's address, and above it, where addresses of processes have zeros, 16 bits of its hash:
  // strangers of the same slot are told without reading them.
  class Slot {
   public:
    Slot() = default;
    explicit Slot(const Entry& entry);
    bool is_empty() const { return bits_ == 0; }
    const Entry* entry() const {
      return std::bit_cast<const Entry*>(bits_ & ((std::uint64_t{1} << kTagShift) - 1));
    }
    bool may_be(std::uint64_t hash) const { return bits_ >> kTagShift == hash >> kTagShift; }

   private:
    static constexpr unsigned kTagShift = 48;
    std::uint64_t bits_ = 0;
  };

  std::uint64_t home_of(const Slot& slot) const { return slot.entry()->key().hash.low & mask_; }
  std::uint64_t behind(std::uint64_t slot) const;
  Slot* find_slot(keys::KeyView key) const;
  void place(const Slot& slot);
  void grow();

  std::unique_ptr<Slot[]> slots_;
  std::uint64_t mask_;
  std::uint64_t size_ = 0;
};

class alignas(64) Shard {
 public:
  EntryRef find(keys::KeyView key, Purpose purpose);

  // For the holder of the policy's lock, which is what keeps the entry in its place.
  const Entry* find_entry(keys::KeyView key);
  void insert(const Entry& entry);
  void erase(const Entry& entry);
  void replace(const Entry& old, const Entry& entry);
  // Empties it; the table that it had is freed by the caller.
  EntryTable take_all();
  // As EntryTable::visit_some(): those whose keys begin with that byte.
  std::uint64_t list_some(char first_byte, std::uint64_t from, std::vector<Listed>& into);

  std::uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }
  std::uint64_t misses() const { return misses_.load(std::memory_order_relaxed); }

 private:
  void count(const Entry* found);

  std::mutex mutex_;
  EntryTable table_;                      // guarded by mutex_
  std::atomic<std::uint64_t> hits_{0};    // written under mutex_
  std::atomic<std::uint64_t> misses_{0};  // written under mutex_
};

}  // namespace weir::backends
