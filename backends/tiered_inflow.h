// An object that one of several tiers takes while it arrives; the others drop what they had under
// its key. On the tiers' loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "backends/backend.h"
#include "backends/changes.h"

namespace weir::backends {

class TieredInflow final : public Inflow, private StoreWaiter {
 public:
  // `others` and `changes` outlive it. `stored` is called when it has been.
  TieredInflow(std::unique_ptr<Inflow> flow, std::vector<Store*> others, Changes& changes,
               std::function<void()> stored);

  bool append(std::string_view bytes) override { return flow_->append(bytes); }
  bool is_behind() override { return flow_->is_behind(); }
  void when_ready(std::function<void()> ready) override { flow_->when_ready(std::move(ready)); }
  Ref<const FarBody> body() const override { return flow_->body(); }
  EntryRef entry() const override { return flow_->entry(); }
  Storing commit(EntryParts head, StoreWaiter& waiter) override;

 private:
  void on_stored(StoreResult result) override;
  void ended(StoreResult result);

  const std::unique_ptr<Inflow> flow_;
  const std::vector<Store*> others_;
  Changes& changes_;
  const std::function<void()> stored_;
  StoreWaiter* waiter_ = nullptr;
  std::optional<Changes::Change> change_;  // under way
};

}  // namespace weir::backends
