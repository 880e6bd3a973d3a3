// The hashes of what was evicted lately, by which S3-FIFO knows who came back. A hash is forgotten
// after as many further evictions as the caller's horizon says, or earlier when its bucket is
// full. Fixed memory (16 bytes per hash), false positives harmless: an object gets a better place
// than it earned. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace weir::backends {

class Ghost {
 public:
  // Room for `capacity` hashes, within bounds.
  explicit Ghost(std::uint64_t capacity);

  void add(std::uint64_t hash);
  // Whether `hash` is among the last `horizon` ones added. It is then forgotten.
  bool take(std::uint64_t hash, std::uint64_t horizon);
  std::uint64_t capacity() const { return buckets_.size() * kWays / 2; }

 private:
  static constexpr std::size_t kWays = 4;
  struct Slot {
    std::uint32_t tag = 0;  // 0 = empty
    std::uint32_t added = 0;
  };
  using Bucket = std::array<Slot, kWays>;

  Bucket& bucket_of(std::uint64_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
  static std::uint32_t tag_of(std::uint64_t hash) {
    const auto tag = static_cast<std::uint32_t>(hash >> 32U);
    return tag == 0 ? 1 : tag;
  }

  std::vector<Bucket> buckets_;  // a power of two of them, room for twice the capacity
  std::uint32_t clock_ = 0;      // counts additions; wraps, which can only revive a hash
};

}  // namespace weir::backends
