// A way through all values of a store, a part at a time, so that nobody's loop is held up by it.
// One loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "backends/backend.h"
#include "base/life.h"

namespace weir::values {

class ValueWalk final : private backends::ListWaiter {
 public:
  // Gets a part, and where it began; says whether to go on. It may destroy the walk if it says no.
  using Visit = std::function<bool(std::uint64_t from, backends::ListPart part)>;

  // Begins in a later turn of the loop. `store` and `loop` outlive it.
  ValueWalk(EventLoop& loop, backends::Store& store, std::uint64_t from, Visit visit);

 private:
  void on_listed(backends::ListPart part) override;
  void ask_later();
  void ask();

  EventLoop& loop_;
  backends::Store& store_;
  std::uint64_t from_;
  const Visit visit_;
  std::unique_ptr<backends::PendingAnswer> pending_;
  Life<ValueWalk> life_{*this};
};

}  // namespace weir::values
