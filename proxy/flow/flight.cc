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

Flight::~Flight() {
  budget_.give(charged_);
}

void Flight::set_producer(Waker producer) {
  const std::lock_guard lock(mutex_);
  producer_ = std::move(producer);
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
  if (!retained_) drop_consumed_locked();
  wake_readers_locked();
}

void Flight::stop_retaining() {
  const std::lock_guard lock(mutex_);
  retained_ = false;
  charged_ -= reserved_;
  budget_.give(std::exchange(reserved_, 0));
  drop_consumed_locked();
}

void Flight::end(bool complete) {
  const std::lock_guard lock(mutex_);
  published_ = appended_;
  state_.phase = complete ? Phase::Complete : Phase::Broken;
  producer_ = {};
  wake_readers_locked();
}

bool Flight::close_if_unread() {
  const std::lock_guard lock(mutex_);
  if (!readers_.empty()) return false;
  state_.phase = Phase::Released;
  state_.release = Release::LookAgain;
  state_.head = nullptr;
  producer_ = {};
  return true;
}

void Flight::abandon() {
  const std::lock_guard lock(mutex_);
  producer_ = {};
  if (state_.phase == Phase::Waiting) {
    state_.phase = Phase::Failed;
    state_.error_status = 502;
    state_.error = {policy::Reason::UpstreamError, {}};
  } else if (state_.phase == Phase::Streaming) {
    state_.phase = Phase::Broken;
  }
  wake_readers_locked();
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
    WEIR_CHECK(retained_ && !dropped_ && entry->body_size() == appended_);
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
  const std::uint64_t still = state_.entry->has_account() ? 0 : std::min(charged_, appended_);
  budget_.give(charged_ - still);
  charged_ = still;  // of an entry in memory that no store accounts for: until readers have left
  producer_ = {};
  wake_readers_locked();
}

std::uint64_t Flight::slowest_locked() const {
  std::uint64_t slowest = published_;
  for (const auto& reader : readers_) slowest = std::min(slowest, reader->offset);
  return slowest;
}

void Flight::drop_consumed_locked() {
  const std::uint64_t keep_from = slowest_locked();
  while (!pieces_.empty()) {
    const Piece& front = pieces_.front();
    // The last one may still grow in place.
    if (pieces_.size() == 1 || first_offset_ + front.size > keep_from) return;
    first_offset_ += front.size;
    charged_ -= front.chunk->capacity();
    budget_.give(front.chunk->capacity());
    dropped_ = true;
    pieces_.pop_front();
  }
}

// When memory is short the windows of all the passes together must not be what breaks it.
std::uint64_t Flight::window_bytes() const {
  return budget_.exhausted() ? kSmallWindowBytes : kWindowBytes;
}

bool Flight::window_full() {
  const std::lock_guard lock(mutex_);
  producer_waits_ = !retained_ && published_ - slowest_locked() >= window_bytes();
  return producer_waits_;
}

std::size_t Flight::reader_count() {
  const std::lock_guard lock(mutex_);
  return readers_.size();
}

Flight::State Flight::look(Reader& reader) {
  const std::lock_guard lock(mutex_);
  if (state_.phase == Phase::Waiting) reader.waiting = true;
  return state_;
}

bool Flight::joinable() {
  const std::lock_guard lock(mutex_);
  return retained_ && !dropped_ && state_.release == Release::None &&
         (state_.phase == Phase::Waiting || state_.phase == Phase::Streaming ||
          state_.phase == Phase::Complete);
}

Flight::Reader* Flight::attach(Waker waker) {
  auto reader = std::make_unique<Reader>();
  reader->waker = std::move(waker);
  Reader* raw = reader.get();
  const std::lock_guard lock(mutex_);
  readers_.push_back(std::move(reader));
  raw->missed = dropped_;
  // Whoever joins late finds out at once what has already happened.
  if (state_.phase != Phase::Waiting) {
    raw->late = state_.head != nullptr;
    raw->waiting = false;
    raw->waker.wake();
  } else if (tells_of_reader_ && readers_.size() == 1) {
    producer_.wake();  // each time: the one before may have left before this was heard
  }
  return raw;
}

void Flight::detach(Reader* reader) {
  const std::lock_guard lock(mutex_);
  std::erase_if(readers_, [reader](const auto& other) { return other.get() == reader; });
  if (!retained_) drop_consumed_locked();
  wake_producer_locked();
}

void Flight::wake_readers_locked() {
  for (const auto& reader : readers_) {
    if (!reader->waiting) continue;
    reader->waiting = false;
    reader->waker.wake();
  }
}

void Flight::wake_producer_locked() {
  const bool room = producer_waits_ && published_ - slowest_locked() <= window_bytes() / 2;
  if (!producer_ || (!room && !readers_.empty())) return;
  producer_waits_ = false;
  producer_.wake();
}

// What the reader has not had yet, from what is held here or, once landed, from the entry.
front::BodySource::Pull Flight::gather_locked(const Reader& reader, std::span<iovec> parts) const {
  front::BodySource::Pull out;
  std::uint64_t at = first_offset_;
  // False when there is room for no more, or nothing more to be shown.
  const auto add = [&](std::string_view bytes) {
    const std::uint64_t begin = std::max(at, reader.offset);
    const std::uint64_t end = std::min(at + bytes.size(), published_);
    if (begin < end && out.parts < parts.size()) {
      const auto count = static_cast<std::size_t>(end - begin);
      parts[out.parts++] = {const_cast<char*>(bytes.data()) + (begin - at), count};
      out.bytes += count;
    }
    at += bytes.size();
    return out.parts < parts.size() && at < published_;
  };
  if (state_.entry) {
    const std::size_t count = state_.entry->body_parts();
    for (std::size_t i = 0; i < count && add(state_.entry->body_part(i)); ++i) {
    }
    return out;
  }
  for (const Piece& piece : pieces_) {
    if (!add(piece.bytes())) break;
  }
  return out;
}

front::BodySource::Pull Flight::pull(Reader& reader, std::span<iovec> parts) {
  using Status = front::BodySource::Status;
  const std::lock_guard lock(mutex_);
  front::BodySource::Pull out = gather_locked(reader, parts);
  reader.has_views = out.bytes > 0;
  reader.landed = nullptr;
  const bool all = reader.offset + out.bytes == published_;
  const bool whole_length = length_ > 0 && published_ == length_ && !retained_;
  const bool complete = state_.phase == Phase::Complete || whole_length;
  if (out.bytes > 0) {
    out.status = Status::Data;
    out.last = all && complete;
  } else if (complete) {
    out.status = Status::End;
  } else if (state_.phase == Phase::Broken) {
    out.status = Status::Failed;
  } else {
    out.status = Status::Pending;
    reader.waiting = true;
  }
  return out;
}

void Flight::consume(Reader& reader, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  reader.offset += bytes;
  reader.has_views = false;
  reader.landed = nullptr;
  WEIR_CHECK(reader.offset <= published_);
  if (retained_) return;
  drop_consumed_locked();
  if (producer_waits_) wake_producer_locked();
}

// ---- FlightReader ----

FlightReader::FlightReader(Ref<Flight> flight, Waker waker, bool leader)
    : flight_(std::move(flight)), reader_(flight_->attach(std::move(waker))), leader_(leader) {}

FlightReader::~FlightReader() {
  flight_->detach(reader_);
}

front::BodySource::Pull FlightReader::pull(std::span<iovec> parts) {
  return flight_->pull(*reader_, parts);
}

void FlightReader::consume(std::size_t bytes) {
  flight_->consume(*reader_, bytes);
}

}  // namespace weir::flow
