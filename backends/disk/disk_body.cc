#include "backends/disk/disk_body.h"

#include <algorithm>
#include <utility>

#include "backends/backend.h"
#include "backends/record.h"
#include "base/check.h"
#include "base/life.h"
#include "base/log.h"
#include "base/net/loop_door.h"

namespace weir::backends::disk {
namespace {

// Sent at once from the file, at most: what a socket takes is less.
constexpr std::uint64_t kMostRange = std::uint64_t{1024} * 1024;

}  // namespace

// A block that the executor reads for one reader.
class DiskBody::Reading final : public PendingAnswer {
 public:
  Reading(Ref<const DiskBody> body, EventLoop& loop, Waiter& waiter)
      : body_(std::move(body)), door_(std::make_shared<LoopDoor>(loop)), waiter_(waiter) {}
  ~Reading() override { door_->close(); }

  Weak<Reading> watch() { return life_.watch(); }
  const std::shared_ptr<LoopDoor>& door() const { return door_; }
  // The waiter may drop this object: nothing comes after.
  void ended(Ref<const Chunk> block) {
    if (!block) body_->tell_bad();
    waiter_.on_block(std::move(block));
  }

 private:
  const Ref<const DiskBody> body_;
  const std::shared_ptr<LoopDoor> door_;
  Waiter& waiter_;
  Life<Reading> life_{*this};
};

DiskBody::DiskBody(Executor& executor, Piece whole, std::vector<std::uint64_t> sums)
    : executor_(executor),
      piece_bytes_(std::max<std::uint64_t>(whole.size, 1)),
      readable_(whole.size),
      sums_(std::move(sums)) {
  WEIR_CHECK(sums_.size() == (whole.size + kBlockBytes - 1) / kBlockBytes);
  pieces_.push_back(std::move(whole));
}

void DiskBody::grow(Piece piece, std::span<const std::uint64_t> sums) {
  WEIR_CHECK(sums.size() == (piece.size + kBlockBytes - 1) / kBlockBytes);
  const std::uint64_t size = piece.size;
  const std::lock_guard lock(mutex_);
  WEIR_CHECK(pieces_.empty() || pieces_.back().size == piece_bytes_);
  pieces_.push_back(std::move(piece));
  sums_.insert(sums_.end(), sums.begin(), sums.end());
  readable_.fetch_add(size, std::memory_order_release);
}

DiskBody::Block DiskBody::block(std::uint64_t index) const {
  const std::uint64_t at = index * kBlockBytes;
  const std::uint64_t in_piece = at % piece_bytes_;
  const std::lock_guard lock(mutex_);
  const Piece& piece = pieces_[at / piece_bytes_];
  return {piece.segment, piece.at + in_piece, piece.size - in_piece, sums_[index]};
}

Ref<const Chunk> DiskBody::verified(Ref<Chunk> chunk, std::size_t got, const Block& block,
                                    VerifiedBlocks::Modified modified) {
  if (got != block.size()) return nullptr;
  chunk->advance(got);
  const std::string_view bytes(chunk->data(), got);
  if (block_checksum(bytes) != block.sum) return nullptr;
  block.segment->verified().add(block.at, modified);
  return chunk;
}

Ref<const Chunk> DiskBody::block_now(std::uint64_t index) const {
  const Block wanted = block(index);
  File& file = *wanted.segment->file();
  const auto modified = wanted.segment->verified().modified(file);
  Ref<Chunk> chunk = Chunk::allocate(wanted.size());
  const std::size_t got = file.read_resident(wanted.at, chunk->free_space());
  // One that has changed is read once more, as one that is not there, and is found out then.
  return verified(std::move(chunk), got, wanted, modified);
}

FileRange DiskBody::range_now(std::uint64_t at, std::int64_t now_ms) const {
  const Block first = block(at / kBlockBytes);
  const std::uint64_t in_block = at % kBlockBytes;
  File& file = *first.segment->file();
  const std::uint64_t bytes =
      first.segment->verified().sendable(file, {.block = first.at,
                                                .block_bytes = kBlockBytes,
                                                .at = first.at + in_block,
                                                .end = first.at + std::min(first.left, kMostRange),
                                                .now_ms = now_ms});
  return {file.descriptor(), first.at + in_block, bytes};
}

std::unique_ptr<PendingAnswer> DiskBody::read_block(std::uint64_t index, EventLoop& loop,
                                                    Waiter& waiter) const {
  auto reading = std::make_unique<Reading>(Ref<const DiskBody>(this), loop, waiter);
  executor_.run([wanted = block(index), door = reading->door(), weak = reading->watch()] {
    File& file = *wanted.segment->file();
    const auto modified = wanted.segment->verified().modified(file);
    Ref<Chunk> chunk = Chunk::allocate(wanted.size());
    const Result<std::size_t> got = file.read(wanted.at, chunk->free_space());
    if (!got) log_warn("disk: {}", got.error().message);
    Ref<const Chunk> block = got ? verified(std::move(chunk), *got, wanted, modified) : nullptr;
    door->post([weak, block = std::move(block)]() mutable {
      if (Reading* const asked = weak.get()) asked->ended(std::move(block));
    });
  });
  return reading;
}

}  // namespace weir::backends::disk
