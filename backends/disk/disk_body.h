// The body of a large object on disk: the pieces of segments that hold it, and the checksums of its
// blocks. Also while it is being written: then it grows.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "backends/disk/segments.h"
#include "backends/far_body.h"
#include "base/executor.h"

namespace weir::backends::disk {

class DiskBody final : public FarBody {
 public:
  // All pieces of a body are of this size but the last one: a multiple of kBlockBytes.
  static constexpr std::uint64_t kPieceBytes = std::uint64_t{1024} * 1024;

  struct Piece {
    std::shared_ptr<const Segment> segment;
    std::uint64_t at = 0;  // of its bytes
    std::uint64_t size = 0;
  };

  // One that lies in one piece, of any size.
  DiskBody(Executor& executor, Piece whole, std::vector<std::uint64_t> sums);
  // One whose pieces are told by grow().
  explicit DiskBody(Executor& executor) : executor_(executor) {}

  // The next piece: all before it are of kPieceBytes. One thread at a time.
  void grow(Piece piece, std::span<const std::uint64_t> sums);
  // Called on a loop when a block turns out not to be what was written. Set before it is read.
  void when_bad(std::function<void()> bad) { bad_ = std::move(bad); }

  // Of what it is made, once it is whole.
  const std::vector<Piece>& pieces() const { return pieces_; }
  const std::vector<std::uint64_t>& sums() const { return sums_; }

  // ---- FarBody ----
  std::uint64_t size() const override { return readable_.load(std::memory_order_acquire); }
  std::uint64_t readable() const override { return size(); }
  Ref<const Chunk> block_now(std::uint64_t index) const override;
  FileRange range_now(std::uint64_t at, std::int64_t now_ms) const override;
  std::unique_ptr<PendingAnswer> read_block(std::uint64_t index, EventLoop& loop,
                                            Waiter& waiter) const override;

 private:
  class Reading;
  struct Block {
    std::shared_ptr<const Segment> segment;
    std::uint64_t at = 0;
    std::uint64_t left = 0;  // of its piece, from its beginning on
    std::uint64_t sum = 0;
    std::size_t size() const { return std::min<std::uint64_t>(left, kBlockBytes); }
  };
  Block block(std::uint64_t index) const;
  static Ref<const Chunk> verified(Ref<Chunk> chunk, std::size_t got, const Block& block,
                                   VerifiedBlocks::Modified modified);
  void tell_bad() const {
    if (bad_) bad_();
  }

  Executor& executor_;
  const std::uint64_t piece_bytes_ = kPieceBytes;
  std::function<void()> bad_;
  std::atomic<std::uint64_t> readable_{0};
  mutable std::mutex mutex_;
  std::vector<Piece> pieces_;        // guarded by mutex_ while it grows
  std::vector<std::uint64_t> sums_;  // the same
};

}  // namespace weir::backends::disk
