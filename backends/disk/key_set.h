// Sets and maps by a key's hash in this folder, which is spread evenly and hashed no further.
#pragma once

#include <unordered_map>
#include <unordered_set>

#include "base/hash.h"

namespace weir::backends::disk {

struct HashOfKey {
  std::size_t operator()(const Hash128& key) const { return key.low; }
};

using KeySet = std::unordered_set<Hash128, HashOfKey>;
template <class T>
using KeyMap = std::unordered_map<Hash128, T, HashOfKey>;

}  // namespace weir::backends::disk
