#include "backends/ram/node.h"

namespace weir::backends {

void NodeQueue::push(Node& node) {
  node.newer = nullptr;
  node.older = newest_;
  (newest_ ? newest_->newer : oldest_) = &node;
  newest_ = &node;
  bytes_ += node.entry->charge();
  ++count_;
}

void NodeQueue::remove(Node& node) {
  (node.newer ? node.newer->older : newest_) = node.older;
  (node.older ? node.older->newer : oldest_) = node.newer;
  node.newer = node.older = nullptr;
  bytes_ -= node.entry->charge();
  --count_;
}

NodeGraveyard::~NodeGraveyard() {
  while (first_) delete std::exchange(first_, first_->older);
}

void NodeGraveyard::bury(Node& node) {
  node.older = first_;
  first_ = &node;
}

void NodeGraveyard::bury_all(NodeQueue queue) {
  if (queue.empty()) return;
  // The queue is a chain by `older` already, from its newest node to its oldest.
  queue.oldest()->older = first_;
  first_ = queue.newest();
}

}  // namespace weir::backends
