// Who leaves the RAM store when it is full: S3-FIFO (Yang et al., SOSP 2023), counted in bytes.
//
// New entries wait in a small queue that holds a tenth of the bytes. Those used at least twice by
// the time they reach its end move to the main queue, the others leave and only their hash stays
// behind, in the ghost; who comes back while remembered goes to main at once. Main is a FIFO in
// which an entry used since its last turn gets another. So a scan passes through the small queue
// and never reaches main, and a use only raises a count: no queue is touched by a hit.
//
// Guarded by its owner's lock, but for the counts of uses. Links entries, owns none.
#pragma once

#include <cstdint>
#include <utility>

#include "backends/ram/entry_queue.h"
#include "backends/ram/ghost.h"

namespace weir::backends {

class S3Fifo {
 public:
  // `remembered`: how many evictions the ghost holds at most.
  explicit S3Fifo(std::uint64_t remembered) : ghost_(remembered) {}

  // One that has not been in the store before.
  void insert(const Entry& entry);
  void remove(const Entry& entry);
  // Puts `entry`, not in the store before, at the place of `old`, with its uses; `old` has left.
  void replace(const Entry& old, const Entry& entry);
  // Takes out the next one to leave; null when there is none. Entries that are being read, and so
  // free no memory by leaving, are passed over within reason.
  const Entry* evict();
  // Whether evictions could free so many bytes: whether those that nobody reads weigh as much.
  // Looks no further than to the last of them.
  bool can_free(std::uint64_t bytes) const;
  // Empties both queues; evictions stay remembered.
  std::pair<EntryQueue, EntryQueue> take_all();

  std::uint64_t count() const { return small_.count() + main_.count(); }
  std::uint64_t bytes() const { return small_.bytes() + main_.bytes(); }
  std::uint64_t ghost_bytes() const { return ghost_.bytes(); }
  // Evictions are remembered in this one from now on, those of before no more; gives the old one.
  Ghost remember_in(Ghost ghost) { return std::exchange(ghost_, std::move(ghost)); }

 private:
  EntryQueue& queue_of(const Entry& entry) {
    return entry.place().queue == Entry::Place::Queue::Main ? main_ : small_;
  }
  bool small_is_over_its_share() const;
  bool spare(const Entry& entry);

  EntryQueue small_;
  EntryQueue main_;
  Ghost ghost_;
};

}  // namespace weir::backends
