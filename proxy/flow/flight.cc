#include "proxy/flow/flight.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace weir::flow {
namespace {

// Chunks of a body of unknown length double from the first to the second.
constexpr std::size_t kFirstChunkBytes = 4 * 1024;
constexpr std::size_t kMaxChunkBytes = 256 * 1024;
// Chunks of a window are small against it, so that what was read is soon let go.
constexpr std::size_t kMaxWindowChunkBytes = 32 * 1024;
// A stored body's last chunk is copied smaller when more than this share of it is empty.
constexpr std::size_t kWasteShare = 8;

Piece trimmed(const Piece& piece) {
  const std::size_t empty = piece.chunk->capacity() - piece.size;
  if (empty <= piece.chunk->capacity() / kWasteShare) return piece;
  Ref<Chunk> small = Chunk::allocate(piece.size);
  std::memcpy(small->free_space().data(), piece.chunk->data(), piece.size);
  small->advance(piece.size);
  return {std::move(small), piece.size};
}

}  // namespace

std::atomic<std::uint64_t> Flight::flights_{0};

Flight::~Flight() {
  budget_.give(charged_);
}

void Flight::publish_head(std::shared_ptr<const FlightHead> head, bool retained) {
  const std::lock_guard lock(mutex_);
  if (head->response.framing == http::Framing::Length) length_ = head->response.content_length;
  state_.phase = Phase::Streaming;
  state_.head = std::move(head);
  retained_ = retained;
  wake_readers_locked();
}

void Flight::release(Release release, std::shared_ptr<const FlightHead> head, bool retained) {
  const std::lock_guard lock(mutex_);
  if (head && head->response.framing == http::Framing::Length) {
    length_ = head->response.content_length;
  }
  state_.phase = head ? Phase::Streaming : Phase::Released;
  state_.release = release;
  state_.head = std::move(head);
  retained_ = retained;
  wake_readers_locked();
}

void Flight::fail(int status, policy::Refusal why) {
  const std::lock_guard lock(mutex_);
  state_.phase = Phase::Failed;
  state_.error_status = status;
  state_.error = std::move(why);
  wake_readers_locked();
}

void Flight::tell_of_reader() {
  const std::lock_guard lock(mutex_);
  tells_of_reader_ = true;
}

bool Flight::reserve(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (!budget_.try_take(bytes)) return false;
  charged_ += bytes;
  reserved_ += bytes;
  return true;
}

void Flight::charge_locked(std::uint64_t bytes) {
  const std::uint64_t reserved = std::min(bytes, reserved_);
  reserved_ -= reserved;
  charged_ += bytes - reserved;
  budget_.take(bytes - reserved);
}

void Flight::allocate_chunk(std::size_t wanted) {
  const std::size_t most = retained_ ? kMaxChunkBytes : kMaxWindowChunkBytes;
  std::size_t capacity = kFirstChunkBytes;
  if (length_ > appended_) {
    capacity = static_cast<std::size_t>(std::min<std::uint64_t>(length_ - appended_, most));
  } else if (tail_) {
    capacity = std::min(tail_->capacity() * 2, most);
  }
  tail_ = Chunk::allocate(std::max(capacity, std::min(wanted, most)));
}

void Flight::append(std::string_view bytes, bool publish) {
  while (!bytes.empty()) {
    const bool fresh = !tail_ || tail_->free_space().empty();
    if (fresh) allocate_chunk(length_ > 0 ? 0 : bytes.size());
    const std::size_t count = std::min(bytes.size(), tail_->free_space().size());
    std::memcpy(tail_->free_space().data(), bytes.data(), count);
    tail_->advance(count);
    bytes.remove_prefix(count);
    appended_ += count;

    const std::lock_guard lock(mutex_);
    if (fresh) {
      pieces_.push_back({tail_, 0});
      charge_locked(tail_->capacity());
    }
    pieces_.back().size += count;
  }
  if (!publish) return;
  const std::lock_guard lock(mutex_);
  publish_locked();
}

void Flight::publish_locked() {
  published_ = appended_;
  if (drops_locked()) drop_locked();
  wake_readers_locked();
}

void Flight::end(bool complete) {
  const std::lock_guard lock(mutex_);
  published_ = appended_;
  state_.phase = complete ? Phase::Complete : Phase::Broken;
  forget_runners_locked();
  wake_readers_locked();
}

bool Flight::close_if_unread() {
  const std::lock_guard lock(mutex_);
  if (!readers_.empty() || (running_[0] && running_[1])) return false;
  state_.phase = Phase::Released;
  state_.release = Release::LookAgain;
  state_.head = nullptr;
  forget_runners_locked();
  return true;
}

void Flight::abandon() {
  const std::lock_guard lock(mutex_);
  forget_runners_locked();
  if (state_.phase == Phase::Waiting) {
    state_.phase = Phase::Failed;
    state_.error_status = 502;
    state_.error = {policy::Reason::UpstreamError, {}};
  } else if (state_.phase == Phase::Streaming) {
    state_.phase = Phase::Broken;
  }
  wake_readers_locked();
}

void Flight::for_each_piece(const std::function<void(std::string_view)>& visit) {
  const std::lock_guard lock(mutex_);
  for (const Piece& piece : pieces_) visit(piece.bytes());
}

void Flight::flow_into(Ref<const backends::FarBody> far) {
  const std::lock_guard lock(mutex_);
  far_ = std::move(far);
}

Body Flight::take_body() {
  Body body;
  const std::lock_guard lock(mutex_);
  WEIR_CHECK(retained_ && !dropped_);
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    body.append(i + 1 == pieces_.size() ? trimmed(pieces_[i]) : pieces_[i]);
  }
  return body;
}

void Flight::land(backends::EntryRef entry, std::vector<std::string> vary) {
  const std::lock_guard lock(mutex_);
  if (state_.phase == Phase::Waiting) {
    state_.phase = Phase::Found;
  } else {
    WEIR_CHECK(is_whole_locked() && entry->body_size() == appended_);
    state_.phase = Phase::Complete;
  }
  state_.entry = std::move(entry);
  state_.vary = std::move(vary);
  published_ = appended_;
  tail_ = nullptr;
  // Views that pull() gave out stay good until the reader's next call (front/exchange.h).
  const auto landed = std::make_shared<const Pieces>(std::exchange(pieces_, {}));
  for (const auto& reader : readers_) {
    if (reader->has_views) reader->landed = landed;
  }
  reserved_ = 0;
  const bool is_held = !state_.entry->has_account() && !state_.entry->far_body();
  const std::uint64_t still = is_held ? std::min(charged_, appended_) : 0;
  budget_.give(charged_ - still);
  charged_ = still;  // of an entry in memory that no store accounts for: until readers have left
  forget_runners_locked();
  wake_readers_locked();
}

std::size_t Flight::reader_count() {
  const std::lock_guard lock(mutex_);
  return readers_.size();
}

bool Flight::joinable() {
  const std::lock_guard lock(mutex_);
  return !outdated() && is_whole_locked() && state_.release == Release::None &&
         (state_.phase == Phase::Waiting || state_.phase == Phase::Streaming ||
          state_.phase == Phase::Complete);
}

void Flight::wake_readers_locked() {
  for (const auto& reader : readers_) {
    if (!reader->waiting) continue;
    reader->waiting = false;
    reader->waker.wake();
  }
}

}  // namespace weir::flow
