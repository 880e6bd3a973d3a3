// An object that arrives: its body is written piece by piece while it does, its head when it is
// whole. On its store's loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "backends/backend.h"
#include "backends/disk/pending_store.h"
#include "backends/disk/volume.h"
#include "base/life.h"
#include "base/net/loop_door.h"

namespace weir::backends::disk {

class DiskInflow final : public Inflow {
 public:
  DiskInflow(std::shared_ptr<Volume> volume, std::shared_ptr<LoopDoor> door);
  ~DiskInflow() override;

  bool append(std::string_view bytes) override;
  bool is_behind() override;
  void when_ready(std::function<void()> ready) override { ready_ = std::move(ready); }
  Ref<const FarBody> body() const override { return shared_->body; }
  Storing commit(EntryParts head, StoreWaiter& waiter) override;
  EntryRef entry() const override { return entry_; }

 private:
  // What the tasks share with the loop.
  struct Shared {
    explicit Shared(Executor& executor) : body(make_ref<DiskBody>(executor)) {}
    const Ref<DiskBody> body;
    std::atomic<std::uint64_t> unwritten{0};
    std::atomic<bool> over{false};   // given up, or dropped
    std::atomic<bool> waits{false};  // to hear that it is behind no more
  };

  void write_piece();
  void pieces_written();
  void ended(StoreResult result);

  const std::shared_ptr<Volume> volume_;
  const std::shared_ptr<LoopDoor> door_;
  const std::shared_ptr<Shared> shared_;
  std::string piece_;  // arrived, and not enough yet
  std::uint64_t size_ = 0;
  EntryParts head_;
  // From commit() on: its place among the changes of its key.
  Hash128 hash_{};
  std::optional<WriteQueue::Claim> claim_;
  EntryRef entry_;
  std::function<void()> ready_;
  Weak<PendingStore> committing_;
  Life<DiskInflow> life_{*this};
};

}  // namespace weir::backends::disk
