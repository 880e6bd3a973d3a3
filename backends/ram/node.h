// An entry's place in the RAM store: what its shard's table points to and what the eviction queues
// link. The entry changes only under both the policy's and the shard's lock, the links under the
// policy's; the count of uses is free for all.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>

#include "backends/entry.h"

namespace weir::backends {

struct Node {
  static constexpr std::uint8_t kMaxUses = 3;

  explicit Node(EntryRef held) : entry(std::move(held)) {}

  // Relaxed load and store: a use lost between two threads changes nothing that matters, and a
  // node at its maximum is only read, so its cache line stays shared.
  void count_use() {
    const std::uint8_t now = uses.load(std::memory_order_relaxed);
    if (now < kMaxUses) uses.store(now + 1, std::memory_order_relaxed);
  }

  EntryRef entry;
  Node* newer = nullptr;
  Node* older = nullptr;
  bool in_main = false;
  std::atomic<std::uint8_t> uses{0};  // since it came to where it is, at most kMaxUses
};

// Nodes in the order of their arrival, and their bytes. Links them, owns none.
class NodeQueue {
 public:
  bool empty() const { return oldest_ == nullptr; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t count() const { return count_; }
  Node* oldest() const { return oldest_; }
  Node* newest() const { return newest_; }

  void push(Node& node);
  void remove(Node& node);
  void resize(std::uint64_t from, std::uint64_t to) { bytes_ += to - from; }

 private:
  Node* newest_ = nullptr;
  Node* oldest_ = nullptr;
  std::uint64_t bytes_ = 0;
  std::uint64_t count_ = 0;
};

// Nodes that left the store, deleted with the list: it is declared before the lock is taken, so
// that entries die outside of it. Allocates nothing.
class NodeGraveyard {
 public:
  NodeGraveyard() = default;
  NodeGraveyard(const NodeGraveyard&) = delete;
  NodeGraveyard& operator=(const NodeGraveyard&) = delete;
  ~NodeGraveyard();

  void bury(Node& node);  // linked nowhere else
  void bury_all(NodeQueue queue);
  bool empty() const { return first_ == nullptr; }

 private:
  Node* first_ = nullptr;  // linked by `older`
};

}  // namespace weir::backends
