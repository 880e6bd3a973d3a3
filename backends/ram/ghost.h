// The hashes of what was evicted lately, by which S3-FIFO knows who came back. A hash is forgotten
// after as many further evictions as the caller's horizon says, or earlier when its bucket is
// full. Fixed memory (16 bytes per hash), which costs nothing before it is used; false positives
// are harmless: an object gets a better place than it earned. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace weir::backends {

class Ghost {
 public:
  // Room for `capacity` hashes, within bounds.
  explicit Ghost(std::uint64_t capacity);

  void add(std::uint64_t hash);
  // Whether `hash` is among the last `horizon` ones added. It is then forgotten.
  bool take(std::uint64_t hash, std::uint64_t horizon);
  std::uint64_t capacity() const { return buckets_size_ * kWays / 2; }
  std::uint64_t bytes() const { return buckets_size_ * sizeof(Bucket); }

 private:
  static constexpr std::size_t kWays = 4;
  struct Slot {
    std::uint32_t tag;  // 0 = empty
    std::uint32_t added;
  };
  using Bucket = std::array<Slot, kWays>;
  struct Free {
    void operator()(Bucket* buckets) const { std::free(buckets); }
  };

  Bucket& bucket_of(std::uint64_t hash) { return buckets_.get()[hash & (buckets_size_ - 1)]; }
  static std::uint32_t tag_of(std::uint64_t hash) {
    const auto tag = static_cast<std::uint32_t>(hash >> 32U);
    return tag == 0 ? 1 : tag;
  }

  std::size_t buckets_size_;  // a power of two, room for twice the capacity
  // From calloc: zero pages of the kernel's, not written and so not resident before they are used.
  std::unique_ptr<Bucket, Free> buckets_;
  std::uint32_t clock_ = 0;  // counts additions; wraps, which can only revive a hash
};

}  // namespace weir::backends
