#include "backends/ram/s3_fifo.h"

namespace weir::backends {
namespace {

// The small queue's share of the bytes is one in kSmallShare (the paper's 10 %).
constexpr std::uint64_t kSmallShare = 10;
// Uses that lead from the small queue to main (the paper's value: one could be a reload).
constexpr std::uint8_t kUsesForMain = 2;
// Work that one eviction may spend on sparing entries, so that a store in which everything is hot
// costs a bounded time; a held entry costs more since sparing it never wears off.
constexpr int kSparingBudget = 1024;
constexpr int kHeldCost = 16;

// Somebody besides the store refers to it. A hint: a reader may come or go meanwhile.
bool is_held(const Node& node) {
  return node.entry.use_count() > 1;
}

}  // namespace

void S3Fifo::insert(Node& node) {
  // Looking back as many evictions as there are objects is the paper's measure.
  node.in_main = ghost_.take(node.entry->key().hash.low, count());
  queue_of(node).push(node);
}

void S3Fifo::remove(Node& node) {
  queue_of(node).remove(node);
}

EntryRef S3Fifo::replace(Node& node, EntryRef entry) {
  queue_of(node).resize(node.entry->charge(), entry->charge());
  return std::exchange(node.entry, std::move(entry));
}

Node* S3Fifo::evict() {
  int budget = kSparingBudget;
  while (count() > 0) {
    NodeQueue& queue = small_is_over_its_share() ? small_ : main_;
    Node& node = *queue.oldest();
    if (budget > 0) {
      budget -= is_held(node) ? kHeldCost : 1;
      if (spare(node)) continue;
    }
    queue.remove(node);
    if (!node.in_main) ghost_.add(node.entry->key().hash.low);
    return &node;
  }
  return nullptr;
}

bool S3Fifo::can_free(std::uint64_t bytes) const {
  if (bytes > this->bytes()) return false;
  std::uint64_t free = 0;
  for (const NodeQueue* queue : {&small_, &main_}) {
    for (const Node* node = queue->oldest(); node && free < bytes; node = node->newer) {
      if (!is_held(*node)) free += node->entry->charge();
    }
  }
  return free >= bytes;
}

// Measured by what is stored, not by max_size: where the count is what binds, the bytes may never
// come near it.
bool S3Fifo::small_is_over_its_share() const {
  return main_.empty() || (!small_.empty() && small_.bytes() >= bytes() / kSmallShare);
}

bool S3Fifo::spare(Node& node) {
  const std::uint8_t uses = node.uses.load(std::memory_order_relaxed);
  const bool to_main = !node.in_main && uses >= kUsesForMain;
  if (!to_main && !is_held(node) && (!node.in_main || uses == 0)) return false;

  queue_of(node).remove(node);
  if (to_main) {
    node.in_main = true;
    node.uses.store(0, std::memory_order_relaxed);
  } else if (node.in_main && uses > 0) {
    node.uses.store(uses - 1, std::memory_order_relaxed);
  }
  queue_of(node).push(node);
  return true;
}

std::pair<NodeQueue, NodeQueue> S3Fifo::take_all() {
  return {std::exchange(small_, {}), std::exchange(main_, {})};
}

}  // namespace weir::backends
