// A store under way whose caller wants to hear how it ended. Lives on its loop.
#pragma once

#include "backends/backend.h"
#include "base/life.h"

namespace weir::backends::disk {

class PendingStore final : public PendingAnswer {
 public:
  explicit PendingStore(StoreWaiter& waiter) : waiter_(waiter) {}

  Weak<PendingStore> watch() { return life_.watch(); }
  // The waiter may drop this object: nothing comes after.
  void ended(StoreResult result) { waiter_.on_stored(result); }

 private:
  StoreWaiter& waiter_;
  Life<PendingStore> life_{*this};
};

}  // namespace weir::backends::disk
