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

  // What is held already stays.
  void set_limit(std::uint64_t limit) { limit_.store(limit, std::memory_order_relaxed); }
  bool exhausted() const { return used_.load(std::memory_order_relaxed) >= limit(); }
  bool has_room(std::uint64_t bytes) const {
    const std::uint64_t used = used_.load(std::memory_order_relaxed);
    const std::uint64_t limit = this->limit();
    return used < limit && bytes <= limit - used;
  }
  // All of it or nothing.
  bool try_take(std::uint64_t bytes) {
    const std::uint64_t limit = this->limit();
    std::uint64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (used >= limit || bytes > limit - used) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  void take(std::uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void give(std::uint64_t bytes) {
    WEIR_CHECK(used_.fetch_sub(bytes, std::memory_order_relaxed) >= bytes);
  }
  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  std::uint64_t limit() const { return limit_.load(std::memory_order_relaxed); }

  std::atomic<std::uint64_t> limit_;
  std::atomic<std::uint64_t> used_{0};
};

}  // namespace weir::flow
