#include "proxy/upstream/connection_places.h"

#include <utility>

#include "base/check.h"

namespace weir::upstream {

void ConnectionPlaces::enter(Guest& guest) {
  WEIR_CHECK(guest.state_ == Guest::State::Outside);
  if (free_ == 0) {
    guest.state_ = Guest::State::Waiting;
    guest.at_ = queue_.insert(queue_.end(), &guest);
    return;
  }
  --free_;
  guest.state_ = Guest::State::Inside;
  guest.on_place();
}

void ConnectionPlaces::leave(Guest& guest) {
  const Guest::State before = std::exchange(guest.state_, Guest::State::Outside);
  if (before == Guest::State::Outside) return;
  if (before == Guest::State::Waiting) {
    queue_.erase(guest.at_);
    return;
  }
  if (queue_.empty()) {
    WEIR_CHECK(free_ < most_);
    ++free_;
    return;
  }
  Guest& next = *queue_.front();
  queue_.pop_front();
  WEIR_CHECK(next.state_ == Guest::State::Waiting);
  next.state_ = Guest::State::Inside;
  next.on_place();
}

}  // namespace weir::upstream
