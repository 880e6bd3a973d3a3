#include "backends/ram/ghost.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace weir::backends {
namespace {

constexpr std::uint64_t kMinCapacity = 512;
constexpr std::uint64_t kMaxCapacity = 1024 * 1024;  // 16 MiB of memory

}  // namespace

Ghost::Ghost(std::uint64_t capacity)
    : buckets_size_(std::bit_ceil(std::clamp(capacity, kMinCapacity, kMaxCapacity)) * 2 / kWays),
      buckets_(static_cast<Bucket*>(std::calloc(buckets_size_, sizeof(Bucket)))) {
  WEIR_CHECK(buckets_ != nullptr);
}

void Ghost::add(std::uint64_t hash) {
  ++clock_;
  Bucket& bucket = bucket_of(hash);
  Slot* oldest = &bucket.front();
  for (Slot& slot : bucket) {
    if (slot.tag == 0) {
      oldest = &slot;
      break;
    }
    if (clock_ - slot.added > clock_ - oldest->added) oldest = &slot;
  }
  *oldest = {tag_of(hash), clock_};
}

bool Ghost::take(std::uint64_t hash, std::uint64_t horizon) {
  const std::uint64_t reach = std::min(horizon, capacity());
  for (Slot& slot : bucket_of(hash)) {
    if (slot.tag != tag_of(hash)) continue;
    const bool remembered = clock_ - slot.added < reach;
    slot = {};
    return remembered;
  }
  return false;
}

}  // namespace weir::backends
