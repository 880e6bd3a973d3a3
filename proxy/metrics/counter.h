// A figure that one thread counts up and any thread reads. No read-modify-write and no lock: where
// hits are counted it costs an addition. Two writers would lose counts.
#pragma once

#include <atomic>
#include <cstdint>

namespace weir::metrics {

class Counter {
 public:
  void add(std::uint64_t more = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace weir::metrics
