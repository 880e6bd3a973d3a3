// One part of the RAM store's index: an open-addressing table from key to node, behind one short
// lock. A look-up touches the slot, the entry and the key's bytes, one after the other; the node's
// count of uses beside them. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "backends/backend.h"
#include "backends/ram/node.h"

namespace weir::backends {

// Linear probing, at most two thirds full, no tombstones. Keys of equal hash live side by side.
class NodeTable {
 public:
  // The entry stands here too: reading it must not wait for the node to come from memory.
  struct Slot {
    std::uint64_t hash = 0;
    const Entry* entry = nullptr;
    Node* node = nullptr;  // null = empty
  };

  NodeTable();

  // The slot of this very key, bytes compared; null when there is none.
  Slot* find(keys::KeyView key) const;
  // The key is absent.
  void insert(Node& node);
  // The key is present.
  void erase(keys::KeyView key);
  // The node's entry was replaced.
  void refresh(Node& node);

 private:
  void place(const Slot& slot);
  void grow();

  std::unique_ptr<Slot[]> slots_;
  std::uint32_t mask_;
  std::uint32_t size_ = 0;
};

class alignas(64) Shard {
 public:
  EntryRef find(keys::KeyView key, Purpose purpose);

  // For the holder of the policy's lock, which is what keeps the node alive.
  Node* find_node(keys::KeyView key);
  void insert(Node& node);
  void erase(const Node& node);
  // Runs `swap_entry`, which replaces the node's entry, where no reader sees it half done.
  template <class SwapEntry>
  auto replace(Node& node, SwapEntry swap_entry) {
    const std::lock_guard lock(mutex_);
    auto old = swap_entry();
    table_.refresh(node);
    return old;
  }
  // Empties it; the table that it had is freed by the caller.
  NodeTable take_all();

  std::uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }
  std::uint64_t misses() const { return misses_.load(std::memory_order_relaxed); }

 private:
  void count(const NodeTable::Slot* slot);

  std::mutex mutex_;
  NodeTable table_;                       // guarded by mutex_
  std::atomic<std::uint64_t> hits_{0};    // written under mutex_
  std::atomic<std::uint64_t> misses_{0};  // written under mutex_
};

}  // namespace weir::backends
