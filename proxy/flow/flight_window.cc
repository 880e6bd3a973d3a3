// How much a flight holds of what is not stored, and who is too slow for it.
#include <algorithm>
#include <utility>

#include "proxy/flow/flight.h"

namespace weir::flow {

void Flight::stop_retaining() {
  const std::lock_guard lock(mutex_);
  retained_ = false;
  was_retained_ = appended_ - first_offset_;  // of a flow the last bytes only
  charged_ -= reserved_;
  budget_.give(std::exchange(reserved_, 0));
  drop_locked();
}

std::uint64_t Flight::fastest_locked() const {
  if (readers_.empty()) return published_;
  std::uint64_t fastest = 0;
  for (const auto& reader : readers_) fastest = std::max(fastest, reader->offset);
  return fastest;
}

// Where the window begins: at the slowest reader, unless that one is too far behind. The fastest
// one, which paces the producer, is never left behind; so neither is the only one.
std::uint64_t Flight::needed_from_locked() const {
  // The store has the rest; only what it has not written yet must stay.
  if (retained_) {
    return std::min(far_->readable(), published_ - std::min(published_, kWindowBytes));
  }
  std::uint64_t slowest = published_;
  for (const auto& reader : readers_) slowest = std::min(slowest, reader->offset);
  const std::uint64_t behind =
      budget_.exhausted() ? kSmallWindowBytes : std::max(kWindowBytes, was_retained_);
  const std::uint64_t fastest = fastest_locked();
  return std::max(slowest, fastest - std::min(fastest, behind));
}

void Flight::drop_locked() {
  const std::uint64_t keep_from = needed_from_locked();
  const std::uint64_t before = first_offset_;
  // The last one may still grow in place.
  while (pieces_.size() > 1 && first_offset_ + pieces_.front().size <= keep_from) {
    const Piece& front = pieces_.front();
    // Views that pull() gave out stay good until the reader's next call (front/exchange.h).
    for (const auto& reader : readers_) {
      if (reader->has_views && reader->offset < first_offset_ + front.size) {
        reader->left.push_back(front);
      }
    }
    first_offset_ += front.size;
    charged_ -= front.chunk->capacity();
    budget_.give(front.chunk->capacity());
    dropped_ = true;
    pieces_.pop_front();
  }
  if (first_offset_ != before && !retained_) leave_behind_locked();
}

// Who has lost bytes is told at once, also when it waits for its client and not for the flight.
void Flight::leave_behind_locked() {
  for (const auto& reader : readers_) {
    if (reader->offset >= first_offset_ || reader->left_behind) continue;
    if (far_ && reader->offset < far_->readable()) continue;  // so far it reads there
    reader->left_behind = true;
    reader->missed = !reader->begun;
    reader->waiting = false;
    reader->waker.wake();
    left_behind_.store(true, std::memory_order_relaxed);
  }
}

// When memory is short the windows of all the passes together must not be what breaks it.
std::uint64_t Flight::window_bytes() const {
  return budget_.exhausted() ? kSmallWindowBytes : kWindowBytes;
}

bool Flight::window_full() {
  const std::lock_guard lock(mutex_);
  producer_waits_ = drops_locked() && published_ - fastest_locked() >= window_bytes();
  return producer_waits_;
}

void Flight::wake_producer_locked() {
  const bool room = producer_waits_ && published_ - fastest_locked() <= window_bytes() / 2;
  if (!room && !readers_.empty()) return;
  producer_waits_ = false;
  wake_runners_locked();
}

}  // namespace weir::flow
