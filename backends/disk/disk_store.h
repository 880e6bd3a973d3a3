// A disk backend on one loop: asks at once for what lies in memory, has the executor read the rest,
// and tells the loop. Lives on its loop.
#pragma once

#include <cstdint>
#include <memory>

#include "backends/backend.h"
#include "backends/disk/volume.h"
#include "base/net/loop_door.h"

namespace weir::backends::disk {

class DiskStore final : public Store {
 public:
  DiskStore(std::shared_ptr<Volume> volume, EventLoop& loop);
  ~DiskStore() override;

  bool answers_now() const override { return false; }
  bool may_have(keys::KeyView key) override;
  EntryRef lookup_now(keys::KeyView key, Purpose purpose) override;
  Lookup lookup(keys::KeyView key, Purpose purpose, LookupWaiter& waiter) override;
  std::expected<std::unique_ptr<Reservation>, StoreResult> admit(
      std::optional<std::uint64_t> body_bytes) override;
  Storing store(EntryRef entry, std::unique_ptr<Reservation> reservation, const StoreTerms&,
                StoreWaiter& waiter) override;
  EraseResult erase(keys::KeyView key) override;
  std::unique_ptr<PendingAnswer> when_erased(std::uint64_t since, ErasedTold told) override;
  Listing list(char first_byte, std::uint64_t from, ListWaiter& waiter) override;
  std::uint64_t most_whole() const override;
  std::expected<std::unique_ptr<Inflow>, StoreResult> open_inflow(
      std::optional<std::uint64_t> body_bytes) override;

 private:
  class Reading;
  class Looking;
  class Erasing;

  struct AtOnce {
    Lookup::Status status = Lookup::Status::Miss;
    EntryRef entry;
    Volume::Found found;  // Pending: to be read
  };
  AtOnce look_up_at_once(keys::KeyView key, const Hash128& hash, Purpose purpose, bool may_be_far);
  void count(const Entry* found, Purpose purpose);

  const std::shared_ptr<Volume> volume_;
  EventLoop& loop_;
  const std::shared_ptr<LoopDoor> door_;
};

}  // namespace weir::backends::disk
