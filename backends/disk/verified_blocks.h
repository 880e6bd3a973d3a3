// Which blocks of a segment were read and found to be what was written, since anybody but us has
// written to its file. Such a block may be sent from where it lies, while it lies in memory. That
// it does can only be looked up: one that leaves right behind the look is read by the kernel when
// it is sent, unverified, and one that is back at the next look was never missed. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/file_system.h"

namespace weir::backends::disk {

class VerifiedBlocks {
 public:
  // Around each write of our own, which leaves the blocks before it as they are. Meanwhile nothing
  // is sendable. One writer at a time.
  void begin_write() { writing_.store(true, std::memory_order_release); }
  void end_write(File& file);

  // To be asked before a block is read, and said with it in add().
  using Modified = std::optional<std::int64_t>;
  Modified modified(File& file) const {
    return writing_.load(std::memory_order_acquire) ? std::nullopt : file.modified();
  }
  // The block that begins there was read and is sound; the file was as `modified` says.
  void add(std::uint64_t at, Modified modified);
  // The same for all blocks of a record that begins at `record` and was read whole.
  struct Body {
    std::uint64_t at = 0;
    std::uint64_t bytes = 0;
    std::uint64_t block_bytes = 0;  // of each block but the last
  };
  void add_record(std::uint64_t record, const Body& body, Modified modified);
  // Whether that was said of the record, and is still known.
  bool knows_record(File& file, std::uint64_t record, std::int64_t now_ms);

  // What was seen in memory so short a time ago is taken to be there: it was used, and looking
  // costs as much as all else that Weir itself does for such an answer. So it is with a file that
  // nobody had written to.
  static constexpr std::int64_t kSeenFor_ms = 10;

  struct Asked {
    std::uint64_t block = 0;        // where the block begins in which `at` lies
    std::uint64_t block_bytes = 0;  // of each block but a body's last
    std::uint64_t at = 0;
    std::uint64_t end = 0;  // how far is asked: where some block ends
    std::int64_t now_ms = 0;
  };
  // How many bytes from `at` on are verified and in memory. What is not in memory any more has to
  // be verified anew.
  std::uint64_t sendable(File& file, const Asked& asked);

 private:
  struct Verified {
    std::uint64_t end = 0;
    bool seen = false;  // all of it, short enough ago
  };

  bool is_unchanged(File& file, std::int64_t now_ms);
  bool expect_unchanged_locked(Modified modified);
  bool is_now_locked(Modified modified);
  void make_room_locked(std::uint64_t blocks);
  Verified verified_locked(const Asked& asked) const;
  void note_resident_locked(const Asked& asked, std::uint64_t verified, std::uint64_t resident);

  std::atomic<bool> writing_{false};
  mutable std::mutex mutex_;
  // Where they begin, and until when they need not be looked for in memory. Records as well.
  std::unordered_map<std::uint64_t, std::int64_t> blocks_;  // guarded by mutex_, as what follows
  Modified modified_;
  std::int64_t unchanged_until_ms_ = 0;  // need not be looked at again before
};

}  // namespace weir::backends::disk
