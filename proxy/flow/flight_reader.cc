// A flight as its readers see it.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "proxy/flow/flight.h"
#include "proxy/front/far_pull.h"

namespace weir::flow {

Flight::Reader* Flight::attach(Waker waker, std::optional<Runner> leads) {
  auto reader = std::make_unique<Reader>();
  reader->waker = std::move(waker);
  reader->leads = leads;
  Reader* raw = reader.get();
  const std::lock_guard lock(mutex_);
  readers_.push_back(std::move(reader));
  raw->missed = dropped_ && !is_whole_locked();
  // Whoever joins late finds out at once what has already happened.
  if (state_.phase != Phase::Waiting) {
    raw->late = state_.head != nullptr;
    raw->waiting = false;
    raw->waker.wake();
  } else if (tells_of_reader_ && readers_.size() == 1) {
    wake_runners_locked();  // each time: the one before may have left before this was heard
  }
  return raw;
}

Flight::Own Flight::detach(Reader* reader) {
  const std::lock_guard lock(mutex_);
  Own own{std::move(reader->own), reader->place_there};
  std::erase_if(readers_, [reader](const auto& other) { return other.get() == reader; });
  if (drops_locked()) drop_locked();
  wake_producer_locked();
  return own;
}

Flight::State Flight::look(Reader& reader) {
  const std::lock_guard lock(mutex_);
  if (state_.phase == Phase::Waiting) reader.waiting = true;
  return state_;
}

bool Flight::missed(const Reader& reader) {
  const std::lock_guard lock(mutex_);
  return reader.missed;
}

bool Flight::left_behind(const Reader& reader) {
  const std::lock_guard lock(mutex_);
  return reader.left_behind;
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

void Flight::forget_views(Reader& reader) {
  reader.has_views = false;
  reader.landed = nullptr;
  reader.left.clear();
}

// What it is to read in a store: of a landed flight everything, else what is not held here any
// more.
Flight::Far Flight::far_locked(const Reader& reader) const {
  Far out;
  if (state_.entry && state_.entry->far_body()) {
    out = {Ref<const backends::FarBody>(state_.entry->far_body()), reader.offset, published_, true};
  } else if (!state_.entry && far_ && reader.offset < first_offset_) {
    out = {far_, reader.offset, std::min(far_->readable(), published_), false};
  }
  if (out.at >= out.until) out.body = nullptr;
  return out;
}

front::BodySource::Pull Flight::pull(Reader& reader, std::span<iovec> parts, Far& far) {
  using Status = front::BodySource::Status;
  const std::lock_guard lock(mutex_);
  forget_views(reader);
  reader.begun = true;
  far = far_locked(reader);
  if (far.body) return {};
  if (!state_.entry && reader.offset < first_offset_) return {Status::Failed};
  front::BodySource::Pull out = gather_locked(reader, parts);
  reader.has_views = out.bytes > 0;
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
  forget_views(reader);
  WEIR_CHECK(reader.offset <= published_);
  if (!drops_locked()) return;
  drop_locked();
  if (producer_waits_) wake_producer_locked();
}

// ---- FlightReader ----

FlightReader::FlightReader(Ref<Flight> flight, Waker waker, std::optional<Runner> leads)
    : flight_(std::move(flight)),
      reader_(flight_->attach(waker, leads)),
      waker_(std::move(waker)) {}

FlightReader::~FlightReader() {
  const Flight::Own own = flight_->detach(reader_);
  if (own.flight) own.flight->detach(own.place);
}

bool FlightReader::return_to_own(const Waker& waker) {
  Flight::Own own = flight_->take_own(*reader_);
  if (!own.flight) return false;
  flight_->detach(reader_);
  flight_ = std::move(own.flight);
  reader_ = own.place;
  flight_->occupy(*reader_, waker);
  waker_ = waker;
  far_ = nullptr;
  return true;
}

void FlightReader::give_up_own() {
  // As of nearly every flight. Whoever has looked at what has come has seen whether there was one.
  if (!flight_->has_raced()) return;
  const Flight::Own own = flight_->take_own(*reader_);
  if (own.flight) own.flight->detach(own.place);
}

front::BodySource::Pull FlightReader::pull(std::span<iovec> parts) {
  Flight::Far far;
  const Pull out = flight_->pull(*reader_, parts, far);
  return far.body ? pull_far(far, parts) : out;
}

front::BodySource::Pull FlightReader::pull_far(const Flight::Far& far, std::span<iovec> parts) {
  if (!far_) {
    WEIR_CHECK(waker_.loop() != nullptr);  // who reads a body is somebody
    far_ = std::make_unique<backends::FarReader>(*waker_.loop(), [this] { waker_.wake(); });
  }
  return front::far_pull(far_->get(far.body, far.at), far.until - far.at, far.last, parts);
}

void FlightReader::consume(std::size_t bytes) {
  flight_->consume(*reader_, bytes);
}

}  // namespace weir::flow
