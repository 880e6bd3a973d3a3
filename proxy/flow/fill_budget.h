// limits.fill_memory: how many bytes the responses being fetched may hold, over all workers. Any
// thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/check.h"

namespace weir::flow {

class FillBudget {
 public:
  explicit FillBudget(std::uint64_t limit) : limit_(limit) {}

  bool exhausted() const { return used_.load(std::memory_order_relaxed) >= limit_; }
  bool has_room(std::uint64_t bytes) const {
    const std::uint64_t used = used_.load(std::memory_order_relaxed);
    return used < limit_ && bytes <= limit_ - used;
  }
  // All of it or nothing.
  bool try_take(std::uint64_t bytes) {
    std::uint64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (used >= limit_ || bytes > limit_ - used) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  void take(std::uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void give(std::uint64_t bytes) {
    WEIR_CHECK(used_.fetch_sub(bytes, std::memory_order_relaxed) >= bytes);
  }
  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> used_{0};
};

}  // namespace weir::flow
