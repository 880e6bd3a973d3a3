#include "proxy/metrics/heavy_hitters.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"

namespace weir::metrics {

HeavyHitters::HeavyHitters(std::size_t places, std::size_t key_bytes)
    : places_(places), key_bytes_(key_bytes) {
  hashes_.reserve(places);
  items_.reserve(places);
}

void HeavyHitters::count(std::string_view key) {
  key = key.substr(0, key_bytes_);
  const std::uint64_t hash = hash128(key).low;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    if (hashes_[i] != hash || items_[i].key != key) continue;
    ++items_[i].count;
    return;
  }
  if (items_.size() < places_) {
    hashes_.push_back(hash);
    Item& item = items_.emplace_back();
    item.key.reserve(key_bytes_);
    item.key = key;
    item.count = 1;
    return;
  }
  const auto least = std::ranges::min_element(items_, {}, &Item::count);
  hashes_[static_cast<std::size_t>(least - items_.begin())] = hash;
  least->key = key;
  least->too_high = least->count++;
}

std::vector<HeavyHitters::Item> HeavyHitters::items() const {
  const std::lock_guard lock(mutex_);
  return items_;
}

}  // namespace weir::metrics
