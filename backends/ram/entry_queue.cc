#include "backends/ram/entry_queue.h"

namespace weir::backends {

void EntryQueue::push(const Entry& entry) {
  Entry::Place& place = entry.place();
  place.newer = nullptr;
  place.older = newest_;
  (newest_ ? newest_->place().newer : oldest_) = &entry;
  newest_ = &entry;
  bytes_ += entry.charge();
  ++count_;
}

void EntryQueue::remove(const Entry& entry) {
  Entry::Place& place = entry.place();
  (place.newer ? place.newer->place().older : newest_) = place.older;
  (place.older ? place.older->place().newer : oldest_) = place.newer;
  place.newer = place.older = nullptr;
  bytes_ -= entry.charge();
  --count_;
}

void EntryQueue::replace(const Entry& old, const Entry& entry) {
  Entry::Place& place = entry.place();
  place.newer = std::exchange(old.place().newer, nullptr);
  place.older = std::exchange(old.place().older, nullptr);
  (place.newer ? place.newer->place().older : newest_) = &entry;
  (place.older ? place.older->place().newer : oldest_) = &entry;
  bytes_ += entry.charge() - old.charge();
}

Graveyard::~Graveyard() {
  while (first_) {
    const EntryRef dropped = EntryRef::adopt(first_);
    first_ = std::exchange(dropped->place().older, nullptr);
  }
}

void Graveyard::bury(const Entry& entry) {
  entry.place().older = first_;
  first_ = &entry;
}

void Graveyard::bury_all(EntryQueue queue) {
  if (queue.empty()) return;
  // The queue is a chain by `older` already, from its newest entry to its oldest.
  queue.oldest()->place().older = first_;
  first_ = queue.newest();
}

}  // namespace weir::backends
