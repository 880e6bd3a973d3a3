// Which blocks of a sealed segment were read from the medium and found to be what was written,
// since the file was last written to. Such a block may be sent from where it lies, while it lies in
// memory. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_set>

#include "base/file_system.h"

namespace weir::backends::disk {

class VerifiedBlocks {
 public:
  // Empty until the segment is sealed: before that its file changes all the time.
  void begin() { sealed_.store(true, std::memory_order_release); }

  // To be asked before a block is read, and said with it in add().
  using Modified = std::optional<std::int64_t>;
  Modified modified(File& file) const {
    return sealed_.load(std::memory_order_acquire) ? file.modified() : std::nullopt;
  }
  // The block that begins there was read and is sound; the file was as `modified` says.
  void add(std::uint64_t at, Modified modified);

  // Of `most` bytes from `at` on, which lies in the block that begins at `block` (all are of
  // `block_bytes` but the last): how many are verified and in memory. What is not in memory any
  // more has to be verified anew.
  std::uint64_t sendable(File& file, std::uint64_t block, std::uint64_t block_bytes,
                         std::uint64_t at, std::uint64_t most);

 private:
  bool expect_unchanged_locked(Modified modified);

  std::atomic<bool> sealed_{false};
  std::mutex mutex_;
  std::unordered_set<std::uint64_t> blocks_;  // guarded by mutex_, as what follows
  Modified modified_;
};

}  // namespace weir::backends::disk
