#include "backends/ram/s3_fifo.h"

#include "base/check.h"

namespace weir::backends {
namespace {

using Queue = Entry::Place::Queue;

// The small queue's share of the bytes is one in kSmallShare (the paper's 10 %).
constexpr std::uint64_t kSmallShare = 10;
// Uses that lead from the small queue to main (the paper's value: one could be a reload).
constexpr std::uint8_t kUsesForMain = 2;
// Work that one eviction may spend on sparing entries, so that a store in which everything is hot
// costs a bounded time; a held entry costs more since sparing it never wears off.
constexpr int kSparingBudget = 1024;
constexpr int kHeldCost = 16;

// Somebody besides the store refers to it. A hint: a reader may come or go meanwhile.
bool is_held(const Entry& entry) {
  return entry.use_count() > 1;
}

}  // namespace

void S3Fifo::insert(const Entry& entry) {
  Entry::Place& place = entry.place();
  WEIR_CHECK(place.queue == Queue::NotYet);
  // Looking back as many evictions as there are objects is the paper's measure.
  place.queue = ghost_.take(entry.key().hash.low, count()) ? Queue::Main : Queue::Small;
  queue_of(entry).push(entry);
}

void S3Fifo::remove(const Entry& entry) {
  queue_of(entry).remove(entry);
  entry.place().queue = Queue::Left;
}

void S3Fifo::replace(const Entry& old, const Entry& entry) {
  WEIR_CHECK(entry.place().queue == Queue::NotYet);
  queue_of(old).replace(old, entry);
  entry.place().queue = std::exchange(old.place().queue, Queue::Left);
  entry.place().uses.store(old.place().uses.load(std::memory_order_relaxed),
                           std::memory_order_relaxed);
}

const Entry* S3Fifo::evict() {
  int budget = kSparingBudget;
  while (count() > 0) {
    EntryQueue& queue = small_is_over_its_share() ? small_ : main_;
    const Entry& entry = *queue.oldest();
    if (budget > 0) {
      budget -= is_held(entry) ? kHeldCost : 1;
      if (spare(entry)) continue;
    }
    if (entry.place().queue == Queue::Small) ghost_.add(entry.key().hash.low);
    remove(entry);
    return &entry;
  }
  return nullptr;
}

bool S3Fifo::can_free(std::uint64_t bytes) const {
  if (bytes > this->bytes()) return false;
  std::uint64_t free = 0;
  for (const EntryQueue* queue : {&small_, &main_}) {
    for (const Entry* at = queue->oldest(); at && free < bytes; at = at->place().newer) {
      if (!is_held(*at)) free += at->charge();
    }
  }
  return free >= bytes;
}

// Measured by what is stored, not by max_size: where the count is what binds, the bytes may never
// come near it.
bool S3Fifo::small_is_over_its_share() const {
  return main_.empty() || (!small_.empty() && small_.bytes() >= bytes() / kSmallShare);
}

bool S3Fifo::spare(const Entry& entry) {
  Entry::Place& place = entry.place();
  const std::uint8_t uses = place.uses.load(std::memory_order_relaxed);
  const bool in_main = place.queue == Queue::Main;
  const bool to_main = !in_main && uses >= kUsesForMain;
  if (!to_main && !is_held(entry) && (!in_main || uses == 0)) return false;

  queue_of(entry).remove(entry);
  if (to_main) {
    place.queue = Queue::Main;
    place.uses.store(0, std::memory_order_relaxed);
  } else if (in_main && uses > 0) {
    place.uses.store(uses - 1, std::memory_order_relaxed);
  }
  queue_of(entry).push(entry);
  return true;
}

std::pair<EntryQueue, EntryQueue> S3Fifo::take_all() {
  return {std::exchange(small_, {}), std::exchange(main_, {})};
}

}  // namespace weir::backends
