// The bytes that one store answers for. An entry charged to it gives its bytes back when its last
// reference goes, wherever that is held and even if the store is gone by then; hence the count of
// owners. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/ref_counted.h"

namespace weir::backends {

class ByteAccount : public RefCounted<ByteAccount> {
 public:
  // Adds `bytes` unless the sum would pass `limit`.
  bool try_add(std::uint64_t bytes, std::uint64_t limit) {
    std::uint64_t sum = bytes_.load(std::memory_order_relaxed);
    do {
      if (bytes > limit || sum > limit - bytes) return false;
    } while (!bytes_.compare_exchange_weak(sum, sum + bytes, std::memory_order_relaxed));
    return true;
  }
  void subtract(std::uint64_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace weir::backends
