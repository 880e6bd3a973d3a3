// Which of many keys come most often, in bounded memory: the Space-Saving algorithm (Metwally,
// Agrawal, El Abbadi 2005). A key that is not in the table takes the place of the one with the
// fewest, and its count. So no count is too low, each says by how much it may be too high, and a
// key that makes up more than 1/places of all is never missing. Allocates only while it fills. Any
// thread; a lock for a moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace weir::metrics {

class HeavyHitters {
 public:
  struct Item {
    std::string key;
    std::uint64_t count = 0;
    std::uint64_t too_high = 0;  // at most
  };

  // Of longer keys only so many bytes count.
  HeavyHitters(std::size_t places, std::size_t key_bytes);

  void count(std::string_view key);
  // In no order.
  std::vector<Item> items() const;

 private:
  const std::size_t places_;
  const std::size_t key_bytes_;
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> hashes_;  // guarded by mutex_; parallel to items_
  std::vector<Item> items_;            // guarded by mutex_
};

}  // namespace weir::metrics
