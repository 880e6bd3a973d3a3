// A look-up as a test wants it: ask, let the loop turn until the answer is there.
#pragma once

#include "backends/backend.h"

namespace weir::backends::testing {

// Runs the tasks posted so far, and whatever else is ready, on the calling thread.
inline void turn(EventLoop& loop) {
  loop.turn();
}

// Counts its answers and keeps the last.
class RecordingWaiter final : public LookupWaiter {
 public:
  void on_lookup(EntryRef found) override {
    ++answers;
    entry = std::move(found);
  }

  int answers = 0;
  EntryRef entry;
};

// The entry found, or null. Never returns if the backend never answers: the test's time-out is
// what reports that.
inline EntryRef look_up(Backend& backend, keys::KeyView key, EventLoop& loop) {
  RecordingWaiter waiter;
  Lookup answer = backend.lookup(key, loop, waiter);
  if (answer.status != Lookup::Status::Pending) return std::move(answer.entry);
  while (waiter.answers == 0) turn(loop);
  return std::move(waiter.entry);
}

}  // namespace weir::backends::testing
