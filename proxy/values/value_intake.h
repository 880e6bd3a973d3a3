// A value's body on its way from a client into a store: small ones lie in memory, counted within
// limits.fill_memory, until they are whole; what no store keeps as a whole flows into it as it
// comes. One loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "backends/backend.h"
#include "proxy/flow/fill_budget.h"

namespace weir::values {

class ValueIntake {
 public:
  // Both outlive it. `max_bytes`: the backend's max_object_size.
  ValueIntake(backends::Store& store, flow::FillBudget& budget, std::uint64_t max_bytes)
      : store_(store), budget_(budget), max_bytes_(max_bytes) {}
  ~ValueIntake() { budget_.give(charged_); }
  ValueIntake(const ValueIntake&) = delete;
  ValueIntake& operator=(const ValueIntake&) = delete;

  enum class Status : std::uint8_t {
    Taken,
    Behind,    // taken; no more until `ready` was called
    TooLarge,  // larger than the backend takes
    NoRoom,    // memory is short, or the medium is too slow, or fails
  };
  // Of a body whose length is known.
  Status expect(std::uint64_t bytes) const {
    return bytes > max_bytes_ ? Status::TooLarge : Status::Taken;
  }
  // After when_ready().
  Status append(std::string_view bytes);
  // Called when Behind is over; may destroy this.
  void when_ready(std::function<void()> ready) { ready_ = std::move(ready); }
  std::uint64_t size() const { return size_; }

  // All of it was appended; `parts` is the entry but for its body. Once. As Store::store().
  backends::Storing commit(backends::EntryParts parts, const backends::StoreTerms& terms,
                           backends::StoreWaiter& waiter);
  // What was stored, once it is.
  backends::EntryRef entry() const { return inflow_ ? inflow_->entry() : entry_; }

 private:
  Status flow(std::string_view bytes);

  backends::Store& store_;
  flow::FillBudget& budget_;
  const std::uint64_t max_bytes_;
  std::uint64_t size_ = 0;
  std::uint64_t charged_ = 0;
  std::string bytes_;
  std::unique_ptr<backends::Inflow> inflow_;
  backends::EntryRef entry_;
  std::function<void()> ready_;
};

}  // namespace weir::values
