#include "backends/disk/verified_blocks.h"

#include <algorithm>

namespace weir::backends::disk {

bool VerifiedBlocks::expect_unchanged_locked(Modified modified) {
  if (modified == modified_) return true;
  blocks_.clear();  // somebody has written to it
  modified_ = modified;
  return false;
}

void VerifiedBlocks::add(std::uint64_t at, Modified modified) {
  if (!modified) return;
  const std::lock_guard lock(mutex_);
  expect_unchanged_locked(modified);
  blocks_.insert(at);
}

std::uint64_t VerifiedBlocks::sendable(File& file, std::uint64_t block, std::uint64_t block_bytes,
                                       std::uint64_t at, std::uint64_t most) {
  const Modified modified = this->modified(file);
  if (!modified || file.descriptor() < 0) return 0;
  const std::uint64_t end = at + most;
  std::uint64_t verified = block;  // up to here
  {
    const std::lock_guard lock(mutex_);
    if (!expect_unchanged_locked(modified)) return 0;
    while (verified < end && blocks_.contains(verified)) verified += block_bytes;
  }
  if (verified == block) return 0;
  verified = std::min(verified, end);
  const std::uint64_t resident = at + file.resident_bytes(at, verified - at);
  if (resident == verified) return resident - at;
  const std::lock_guard lock(mutex_);
  for (std::uint64_t gone = block; gone < verified; gone += block_bytes) {
    if (std::min(gone + block_bytes, verified) > resident) blocks_.erase(gone);
  }
  return resident - at;
}

}  // namespace weir::backends::disk
