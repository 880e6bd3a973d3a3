#include "backends/disk/verified_blocks.h"

#include <algorithm>
#include <limits>

namespace weir::backends::disk {
namespace {

constexpr std::int64_t kNotSeen = std::numeric_limits<std::int64_t>::min();

}  // namespace

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
  blocks_.try_emplace(at, kNotSeen);
}

VerifiedBlocks::Verified VerifiedBlocks::verified_locked(const Asked& asked) const {
  std::uint64_t end = asked.block;
  std::int64_t seen_until_ms = std::numeric_limits<std::int64_t>::max();
  while (end < asked.end) {
    const auto found = blocks_.find(end);
    if (found == blocks_.end()) break;
    seen_until_ms = std::min(seen_until_ms, found->second);
    end += asked.block_bytes;
  }
  return {std::min(end, asked.end), asked.now_ms < seen_until_ms};
}

// Of the verified bytes those up to `resident` were seen in memory.
void VerifiedBlocks::note_resident_locked(const Asked& asked, std::uint64_t verified,
                                          std::uint64_t resident) {
  for (std::uint64_t block = asked.block; block < verified; block += asked.block_bytes) {
    const auto found = blocks_.find(block);
    if (found == blocks_.end()) continue;
    const bool is_there = std::min(block + asked.block_bytes, verified) <= resident;
    if (!is_there) {
      blocks_.erase(found);
    } else if (block >= asked.at) {  // else only the rest of it was looked at
      found->second = asked.now_ms + kSeenFor_ms;
    }
  }
}

std::uint64_t VerifiedBlocks::sendable(File& file, const Asked& asked) {
  const Modified modified = this->modified(file);
  if (!modified || file.descriptor() < 0) return 0;
  Verified verified;
  {
    const std::lock_guard lock(mutex_);
    if (!expect_unchanged_locked(modified)) return 0;
    verified = verified_locked(asked);
  }
  if (verified.end <= asked.at) return 0;
  const std::uint64_t bytes = verified.end - asked.at;
  if (verified.seen) return bytes;
  const std::uint64_t resident = file.resident_bytes(asked.at, bytes);
  const std::lock_guard lock(mutex_);
  note_resident_locked(asked, verified.end, asked.at + resident);
  return resident;
}

}  // namespace weir::backends::disk
