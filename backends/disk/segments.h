// The segments of a folder that are there, and the room that they take. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <vector>

#include "backends/disk/segment_format.h"
#include "backends/disk/verified_blocks.h"
#include "base/file_system.h"

namespace weir::backends::disk {

// What a file of that size takes of a file system, whose blocks have 4 KiB as a rule.
constexpr std::uint64_t in_blocks(std::uint64_t bytes) {
  constexpr std::uint64_t kBlock = 4096;
  return (bytes + kBlock - 1) / kBlock * kBlock;
}

// A segment as its readers hold it. Its bytes count until it is closed, also when it has lost its
// name: when no reader is left and its writer has noticed (Segments::close_removed).
class Segment {
 public:
  using Account = std::shared_ptr<std::atomic<std::uint64_t>>;

  Segment(const SegmentHeader& header, std::shared_ptr<File> file, Account account);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  SegmentId id() const { return header_.id; }
  std::uint32_t number() const { return static_cast<std::uint32_t>(header_.id.number); }
  const SegmentHeader& header() const { return header_; }
  const std::shared_ptr<File>& file() const { return file_; }

  // The room that is counted for it: what it will take while it is being written, then what it
  // takes, in whole blocks. Its writer's affair.
  void set_bytes(std::uint64_t bytes);
  std::uint64_t bytes() const { return bytes_; }

  // Whether the medium may not have all of it yet, once it is sealed. Any thread.
  void owe_sync(bool owes) { owes_sync_.store(owes, std::memory_order_relaxed); }
  bool owes_sync() const { return owes_sync_.load(std::memory_order_relaxed); }
  VerifiedBlocks& verified() const { return verified_; }

 private:
  const SegmentHeader header_;
  const std::shared_ptr<File> file_;
  const Account account_;
  std::uint64_t bytes_ = 0;
  std::atomic<bool> owes_sync_{false};
  mutable VerifiedBlocks verified_;
};

using SegmentRef = std::shared_ptr<Segment>;

class Segments {
 public:
  // The folder's id, which is in the header of each.
  explicit Segments(std::uint64_t folder) : folder_(folder) {}

  // Ours has room for so many numbers: a record's order begins with one of them.
  static constexpr std::uint64_t kMostNumber = (std::uint64_t{1} << 28U) - 1;

  SegmentRef add(const SegmentHeader& header, std::shared_ptr<File> file);
  // Null: it is not there, or not any more.
  SegmentRef find(std::uint32_t number) const;
  // The first of this number or a greater one; null: there is none.
  SegmentRef at_or_after(std::uint32_t number) const;
  SegmentRef oldest() const;
  SegmentRef newest() const;
  // The oldest one that is sealed and owes a sync. What was removed owes none.
  SegmentRef oldest_unsynced() const;
  // Nobody finds it any more; its readers keep it.
  void remove(std::uint32_t number);
  // Closes what was removed and has no readers any more. They are loops, and to close a file that
  // has lost its name is to free what it took: its writer does it, on the executor.
  void close_removed();
  // Whether there is something to be closed, now or once its readers have left.
  bool has_removed() const { return has_removed_.load(std::memory_order_relaxed); }

  std::uint64_t folder() const { return folder_; }
  // Of all, those included that readers merely hold.
  std::uint64_t bytes() const { return account_->load(std::memory_order_relaxed); }
  // Of those.
  std::uint64_t bytes_held() const;

 private:
  const std::uint64_t folder_;
  const Segment::Account account_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  mutable std::shared_mutex mutex_;
  std::map<std::uint32_t, SegmentRef> segments_;  // guarded by mutex_, as what follows
  std::vector<SegmentRef> removed_;               // not closed yet
  std::atomic<bool> has_removed_{false};
};

}  // namespace weir::backends::disk
