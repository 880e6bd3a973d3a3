#include "proxy/upstream/connection_places.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace weir::upstream {

ConnectionPlaces::Guest::~Guest() {
  WEIR_CHECK(standing_ == Standing::Outside);  // its place would be lost for ever
}

void ConnectionPlaces::Guest::arrived() {
  waits_ = false;
  on_place();
}

ConnectionPlaces::ConnectionPlaces(std::size_t most)
    : most_of_{most, std::max<std::size_t>(most - (most + 3) / 4, 1),
               std::max<std::size_t>(most / 2, 1)},
      free_(most) {
  WEIR_CHECK(most > 0);
}

ConnectionPlaces::~ConnectionPlaces() {
  WEIR_CHECK(clients_ == 0 && refreshes_.empty());
}

void ConnectionPlaces::enter(Guest& guest, PlaceKind kind, bool gathered) {
  guest.waits_ = true;
  Granted granted;
  {
    const std::lock_guard lock(mutex_);
    WEIR_CHECK(guest.standing_ == Guest::Standing::Outside);
    guest.standing_ = Guest::Standing::Waiting;
    guest.kind_ = kind;
    guest.arrival_ = arrivals_++;
    guest.watch_ = guest.stay_.watch();
    switch (kind) {
      case PlaceKind::Visit:
        stand_locked(guest, visits_);
        break;
      case PlaceKind::Upload:
        stand_locked(guest, gathered ? uploads_ : gathering_);
        break;
      case PlaceKind::Refresh:
        stand_locked(guest, refreshes_);
        break;
    }
    granted = grant_locked(guest.loop_);
  }
  tell(granted);
}

void ConnectionPlaces::gathered(Guest& guest) {
  Granted granted;
  {
    const std::lock_guard lock(mutex_);
    if (guest.queue_ != &gathering_) return;
    unqueue_locked(guest);
    stand_locked(guest, uploads_);
    granted = grant_locked(guest.loop_);
  }
  tell(granted);
}

void ConnectionPlaces::hurry(Guest& guest) {
  Granted granted;
  {
    const std::lock_guard lock(mutex_);
    if (guest.kind_ != PlaceKind::Refresh || guest.standing_ == Guest::Standing::Outside) return;
    guest.kind_ = PlaceKind::Visit;
    if (guest.standing_ == Guest::Standing::Inside) {
      --used(PlaceKind::Refresh);
      ++used(PlaceKind::Visit);
    } else {
      unqueue_locked(guest);
      stand_locked(guest, visits_);
    }
    granted = grant_locked(guest.loop_);
  }
  tell(granted);
}

void ConnectionPlaces::leave(Guest& guest) {
  guest.stay_.end();
  guest.waits_ = false;
  Granted granted;
  {
    const std::lock_guard lock(mutex_);
    guest.watch_ = {};
    switch (std::exchange(guest.standing_, Guest::Standing::Outside)) {
      case Guest::Standing::Outside:
        return;
      case Guest::Standing::Waiting:
        unqueue_locked(guest);
        break;
      case Guest::Standing::Inside:
        WEIR_CHECK(used(guest.kind_) > 0);
        --used(guest.kind_);
        ++free_;
        break;
    }
    granted = grant_locked(guest.loop_);
  }
  tell(granted);
}

ConnectionPlaces::Figures ConnectionPlaces::figures() const {
  const std::lock_guard lock(mutex_);
  const std::size_t most = most_of_.front();
  const std::size_t clients = clients_.load(std::memory_order_relaxed);
  return {.most = most, .taken = most - free_, .waiting = clients + refreshes_.size()};
}

void ConnectionPlaces::stand_locked(Guest& guest, Queue& queue) {
  guest.queue_ = &queue;
  guest.at_ = queue.insert(queue.end(), &guest);
  if (&queue != &refreshes_) clients_.fetch_add(1, std::memory_order_relaxed);
}

void ConnectionPlaces::unqueue_locked(Guest& guest) {
  Queue* const queue = std::exchange(guest.queue_, nullptr);
  queue->erase(guest.at_);
  if (queue != &refreshes_) clients_.fetch_sub(1, std::memory_order_relaxed);
}

// Whose turn it is, while a place is free; null when nobody who waits may have it.
ConnectionPlaces::Guest* ConnectionPlaces::next_locked() {
  Guest* next = nullptr;
  const auto consider = [&next](const Queue& queue) {
    if (queue.empty()) return;
    if (next == nullptr || queue.front()->arrival_ < next->arrival_) next = queue.front();
  };
  consider(visits_);
  bool kept_for_upload = false;
  if (has_room(PlaceKind::Upload)) {
    consider(uploads_);
    const bool scarce = clients_.load(std::memory_order_relaxed) > free_;
    if (!scarce) consider(gathering_);
    kept_for_upload = !gathering_.empty();
  }
  const bool wanted_by_client = next != nullptr || kept_for_upload;
  if (!wanted_by_client && has_room(PlaceKind::Refresh)) consider(refreshes_);
  return next;
}

// Gives away what is free. Guests of other loops are told there; those of this one are returned, to
// be told once the lock is gone.
ConnectionPlaces::Granted ConnectionPlaces::grant_locked(const EventLoop& here) {
  Granted granted;
  while (free_ > 0) {
    Guest* const next = next_locked();
    if (next == nullptr) break;
    unqueue_locked(*next);
    --free_;
    ++used(next->kind_);
    next->standing_ = Guest::Standing::Inside;
    if (&next->loop_ == &here) {
      granted.push_back(next);
      continue;
    }
    next->loop_.post([watch = next->watch_] {
      if (Guest* const guest = watch.get()) guest->arrived();
    });
  }
  return granted;
}

void ConnectionPlaces::tell(const Granted& granted) {
  for (Guest* const guest : granted) guest->arrived();
}

}  // namespace weir::upstream
