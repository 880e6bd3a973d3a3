// A slow backend for tests: keeps entries in a map and answers look-ups later, on the asking
// store's loop; by itself, or in hold() mode when the test says so. Stores answer at once unless
// hold_stores() was called; then an entry is in the map, and its waiter told, after
// release_stores(). Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.h"

namespace weir::backends::testing {

class ScriptedBackend final : public Backend, public std::enable_shared_from_this<ScriptedBackend> {
 public:
  explicit ScriptedBackend(std::uint64_t max_object_size = 1024 * 1024)
      : max_object_size_(max_object_size) {}

  // From now on look-ups wait for release().
  void hold() { holding_ = true; }
  // Posts the answers of the look-ups waiting, as they were found when asked.
  void release();
  // Look-ups that wait and were not dropped.
  std::size_t waiting() const;

  // Others store here as well. Before it is attached.
  void share() { shared_ = true; }
  // What nearer tiers have is not to be used, or is again.
  void cut_off(bool is) { is_cut_off_ = is; }
  // From now on stores are Pending; without `until_released` they end by themselves.
  void hold_stores(bool until_released = true);
  // Posts the ends of the stores waiting; anything but Stored also removes the older entry.
  void release_stores(StoreResult result = StoreResult::Stored);
  // Stores that wait, dropped ones too.
  std::size_t waiting_stores() const;
  // What admit() and store() answer from now on; empty: as the size has it.
  void refuse(std::optional<StoreResult> reason);

  bool contains(std::string_view key) const;
  // Reservations that were given out and are not yet gone.
  int reserved() const { return reserved_; }

  const std::string& name() const override { return name_; }
  std::unique_ptr<Store> attach(EventLoop& loop) override;
  void clear() override;
  std::uint64_t max_object_size() const override { return max_object_size_; }
  std::int64_t default_expire_s() const override { return 77; }
  BackendStats stats() const override;

 private:
  struct Question;
  struct Write;
  class Presence;  // the Store
  class Room;      // a Reservation
  template <class Asked>
  class Handle;
  std::optional<StoreResult> refusal(std::uint64_t body_bytes) const;
  Lookup ask(keys::KeyView key, Purpose purpose, EventLoop& loop, LookupWaiter& waiter);
  Storing put(EntryRef entry, EventLoop& loop, StoreWaiter& waiter);
  EraseResult drop(std::string_view key);
  ListPart list(char first_byte);
  StoreResult end(const EntryRef& entry, StoreResult result);
  static void post_answer(std::shared_ptr<Question> question);
  void post_end(std::shared_ptr<Write> write, StoreResult result);

  const std::string name_ = "scripted";
  const std::uint64_t max_object_size_;
  bool shared_ = false;
  bool is_cut_off_ = false;
  std::atomic<bool> holding_{false};
  std::atomic<int> reserved_{0};
  mutable std::mutex mutex_;
  // All of these are guarded by mutex_.
  std::map<std::string, EntryRef, std::less<>> entries_;
  std::vector<std::shared_ptr<Question>> held_;
  std::vector<std::shared_ptr<Write>> held_stores_;
  bool stores_later_ = false;
  bool stores_held_ = false;
  std::optional<StoreResult> refusal_;
  BackendStats stats_;
};

}  // namespace weir::backends::testing
