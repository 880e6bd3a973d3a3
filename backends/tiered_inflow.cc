#include "backends/tiered_inflow.h"

#include <string>
#include <utility>

namespace weir::backends {

TieredInflow::TieredInflow(std::unique_ptr<Inflow> flow, std::vector<Store*> others,
                           Changes& changes, std::function<void()> stored)
    : flow_(std::move(flow)),
      others_(std::move(others)),
      changes_(changes),
      stored_(std::move(stored)) {}

Storing TieredInflow::commit(EntryParts head, StoreWaiter& waiter) {
  waiter_ = &waiter;
  const std::string key = head.key;
  const keys::KeyView name{key, head.hash};
  change_.emplace(changes_, name);
  for (Store* const other : others_) other->erase(name);
  Storing storing = flow_->commit(std::move(head), *this);
  if (storing.result) ended(*storing.result);
  return storing;
}

void TieredInflow::on_stored(StoreResult result) {
  ended(result);
  waiter_->on_stored(result);  // the last call: the waiter may drop this object
}

void TieredInflow::ended(StoreResult result) {
  if (result == StoreResult::Stored) stored_();
  change_.reset();
}

}  // namespace weir::backends
