#include "backends/disk/disk_inflow.h"

#include <algorithm>
#include <utility>

namespace weir::backends::disk {
namespace {

// Arrived and not written yet, of one object: from the first on it is behind, until it has fallen
// to the second; beyond the third the disk is slower than the app and its clients.
constexpr std::uint64_t kBehind = std::uint64_t{4} * 1024 * 1024;
constexpr std::uint64_t kBehindNoMore = kBehind / 2;
constexpr std::uint64_t kMostUnwritten = std::uint64_t{16} * 1024 * 1024;

}  // namespace

DiskInflow::DiskInflow(std::shared_ptr<Volume> volume, std::shared_ptr<LoopDoor> door)
    : volume_(std::move(volume)),
      door_(std::move(door)),
      shared_(std::make_shared<Shared>(volume_->executor())) {}

DiskInflow::~DiskInflow() {
  shared_->over.store(true);
  if (claim_) volume_->drop_claim(hash_, *claim_);
}

bool DiskInflow::append(std::string_view bytes) {
  if (shared_->over.load()) return false;
  size_ += bytes.size();
  while (!bytes.empty() && !shared_->over.load()) {
    const std::size_t count = std::min(bytes.size(), DiskBody::kPieceBytes - piece_.size());
    if (piece_.empty()) piece_.reserve(DiskBody::kPieceBytes);
    piece_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    if (piece_.size() == DiskBody::kPieceBytes) write_piece();
  }
  return !shared_->over.load();
}

void DiskInflow::write_piece() {
  const std::uint64_t bytes = piece_.size();
  const bool slow = shared_->unwritten.fetch_add(bytes) + bytes > kMostUnwritten;
  if (slow || !volume_->reserve(bytes)) {
    shared_->over.store(true);
    volume_->count_dropped();
    return;
  }
  // The volume waits for its tasks before it ends.
  volume_->run_task([volume = volume_.get(), shared = shared_, piece = std::move(piece_),
                     door = door_, weak = life_.watch()] {
    const std::uint64_t size = piece.size();
    const bool written = !shared->over.load() && volume->write_piece(piece, *shared->body);
    if (!written) shared->over.store(true);
    const std::uint64_t left = shared->unwritten.fetch_sub(size) - size;
    volume->release(size);
    if (left > kBehindNoMore || !shared->waits.exchange(false)) return;
    door->post([weak] {
      DiskInflow* const flow = weak.get();
      if (flow && flow->ready_) flow->ready_();
    });
  });
  piece_ = {};
}

bool DiskInflow::is_behind() {
  if (shared_->unwritten.load() <= kBehind) return false;
  shared_->waits.store(true);
  // It may have been written meanwhile: nobody would tell.
  return shared_->unwritten.load() > kBehindNoMore || !shared_->waits.exchange(false);
}

// Behind the last piece the head is made, on the loop, and written like any entry. What stands
// there is older, and goes now: its body's end is about to be shown, and nobody who has seen that
// may meet the older one. What is stored under its key from now on is newer, though its head may be
// written earlier.
Storing DiskInflow::commit(EntryParts head, StoreWaiter& waiter) {
  head_ = std::move(head);
  hash_ = volume_->hash_of({head_.key, head_.hash});
  claim_ = volume_->claim(hash_);
  if (!piece_.empty()) write_piece();
  auto committing = std::make_unique<PendingStore>(waiter);
  committing_ = committing->watch();
  volume_->run_task([door = door_, weak = life_.watch()] {
    door->post([weak] {
      if (DiskInflow* const flow = weak.get()) flow->pieces_written();
    });
  });
  return {std::nullopt, std::move(committing)};
}

void DiskInflow::pieces_written() {
  const WriteQueue::Claim claim = *std::exchange(claim_, std::nullopt);
  const bool is_whole = !shared_->over.load() && shared_->body->size() == size_;
  constexpr std::uint64_t kHeadBytes = 4096;
  if (!is_whole || !volume_->reserve(kHeadBytes)) {
    volume_->drop_claim(hash_, claim);
    return ended(is_whole ? StoreResult::NoRoom : StoreResult::Failed);
  }
  head_.far_body = shared_->body;
  entry_ = make_entry(std::move(head_));
  auto heard = [door = door_, weak = life_.watch()](StoreResult result) {
    door->post([weak, result] {
      if (DiskInflow* const flow = weak.get()) flow->ended(result);
    });
  };
  const bool is_newest =
      volume_->put_claimed(hash_, claim, EntryRef(entry_), kHeadBytes, std::move(heard));
  // Else it was stored, and has been replaced.
  if (!is_newest) ended(StoreResult::Stored);
}

void DiskInflow::ended(StoreResult result) {
  // The last call: the waiter may drop this object.
  if (PendingStore* const waiting = committing_.get()) waiting->ended(result);
}

}  // namespace weir::backends::disk
