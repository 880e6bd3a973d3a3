#include "backends/disk/verified_blocks.h"

#include <algorithm>
#include <limits>

namespace weir::backends::disk {
namespace {

constexpr std::int64_t kNotSeen = std::numeric_limits<std::int64_t>::min();
// Of a segment. All are forgotten when there are more: to read one anew costs little.
constexpr std::size_t kMostBlocks = 4096;

}  // namespace

void VerifiedBlocks::end_write(File& file) {
  {
    const std::lock_guard lock(mutex_);
    modified_ = file.modified();
  }
  writing_.store(false, std::memory_order_release);
}

bool VerifiedBlocks::is_unchanged(File& file, std::int64_t now_ms) {
  {
    const std::lock_guard lock(mutex_);
    if (now_ms < unchanged_until_ms_) return true;
  }
  const Modified modified = this->modified(file);
  if (!modified) return false;
  const std::lock_guard lock(mutex_);
  if (!expect_unchanged_locked(modified)) return false;
  unchanged_until_ms_ = now_ms + kSeenFor_ms;
  return true;
}

// What is known of the file counts as of then from here on, unless it is known as of later.
bool VerifiedBlocks::is_now_locked(Modified modified) {
  expect_unchanged_locked(modified);
  return modified == modified_;
}

bool VerifiedBlocks::expect_unchanged_locked(Modified modified) {
  if (modified == modified_) return true;
  if (modified < modified_) return false;  // asked before a write of our own
  blocks_.clear();                         // somebody has written to it
  unchanged_until_ms_ = 0;
  modified_ = modified;
  return false;
}

void VerifiedBlocks::add(std::uint64_t at, Modified modified) {
  if (!modified) return;
  const std::lock_guard lock(mutex_);
  if (!is_now_locked(modified)) return;
  make_room_locked(1);
  blocks_.try_emplace(at, kNotSeen);
}

void VerifiedBlocks::add_record(std::uint64_t record, const Body& body, Modified modified) {
  if (!modified) return;
  const std::lock_guard lock(mutex_);
  if (!is_now_locked(modified)) return;
  make_room_locked(1 + (body.bytes + body.block_bytes - 1) / body.block_bytes);
  blocks_.try_emplace(record, kNotSeen);
  for (std::uint64_t at = 0; at < body.bytes; at += body.block_bytes) {
    blocks_.try_emplace(body.at + at, kNotSeen);
  }
}

bool VerifiedBlocks::knows_record(File& file, std::uint64_t record, std::int64_t now_ms) {
  if (!is_unchanged(file, now_ms)) return false;
  const std::lock_guard lock(mutex_);
  return blocks_.contains(record);
}

void VerifiedBlocks::make_room_locked(std::uint64_t blocks) {
  if (blocks_.size() + blocks > kMostBlocks) blocks_.clear();
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
  if (file.descriptor() < 0 || !is_unchanged(file, asked.now_ms)) return 0;
  Verified verified;
  {
    const std::lock_guard lock(mutex_);
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
