// Look-ups and stores as a test wants them: ask, let the loop turn until the answer is there.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

class RecordingStoreWaiter final : public StoreWaiter {
 public:
  void on_stored(StoreResult ended) override {
    ++answers;
    result = ended;
  }

  int answers = 0;
  std::optional<StoreResult> result;
};

// Never return if the backend never answers: the test's time-out is what reports that.

// The entry found, or null.
inline EntryRef look_up(Store& store, keys::KeyView key, EventLoop& loop,
                        Purpose purpose = Purpose::Serve) {
  RecordingWaiter waiter;
  Lookup answer = store.lookup(key, purpose, waiter);
  if (answer.status != Lookup::Status::Pending) return std::move(answer.entry);
  while (waiter.answers == 0) turn(loop);
  return std::move(waiter.entry);
}

inline StoreResult put(Store& store, EntryRef entry, EventLoop& loop,
                       std::unique_ptr<Reservation> reservation = nullptr) {
  RecordingStoreWaiter waiter;
  const Storing storing = store.store(std::move(entry), std::move(reservation), {}, waiter);
  if (storing.result) return *storing.result;
  while (waiter.answers == 0) turn(loop);
  return *waiter.result;
}

class RecordingListWaiter final : public ListWaiter {
 public:
  void on_listed(ListPart listed) override { part = std::move(listed); }

  std::optional<ListPart> part;
};

// The keys of all that is listed, each as often as it is. `between` is called behind each part.
inline std::vector<std::string> list_keys(Store& store, char first_byte, EventLoop& loop,
                                          const std::function<void()>& between = {}) {
  std::vector<std::string> keys;
  for (std::optional<std::uint64_t> from = 0; from;) {
    RecordingListWaiter waiter;
    Listing listing = store.list(first_byte, *from, waiter);
    if (listing.part) waiter.part = std::move(listing.part);
    while (!waiter.part) turn(loop);
    for (Listed& entry : waiter.part->entries) keys.push_back(std::move(entry.key));
    from = waiter.part->next;
    if (between) between();
  }
  return keys;
}

// A backend attached to a loop of its own that turns when asked. One thread.
class Attached {
 public:
  explicit Attached(std::shared_ptr<Backend> backend)
      : backend_(std::move(backend)), store_(backend_->attach(loop_)) {}

  StoreResult put(EntryRef entry, std::unique_ptr<Reservation> reservation = nullptr) {
    return testing::put(*store_, std::move(entry), loop_, std::move(reservation));
  }
  EntryRef find(std::string_view key, Purpose purpose = Purpose::Serve) {
    return look_up(*store_, {key, hash128(key)}, loop_, purpose);
  }
  EraseResult erase(std::string_view key) { return store_->erase({key, hash128(key)}); }
  Store& store() { return *store_; }
  Backend& backend() { return *backend_; }
  const std::shared_ptr<Backend>& share() const { return backend_; }
  BackendStats stats() const { return backend_->stats(); }
  EventLoop& loop() { return loop_; }

 private:
  EventLoop loop_;
  const std::shared_ptr<Backend> backend_;
  const std::unique_ptr<Store> store_;
};

}  // namespace weir::backends::testing
