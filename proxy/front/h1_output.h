// What is still to be sent of one HTTP/1.1 response: its head, then the body as its source gives
// it, framed. Of a stored response the status line and the fresh fields are written anew; the rest
// of the head, and with it a small body, follows from the entry without a copy: one writev.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "backends/entry.h"
#include "backends/far_body.h"
#include "base/net/connection.h"
#include "proxy/front/exchange.h"

namespace weir::front {

// A stored body as a source.
class EntryBody final : public BodySource {
 public:
  void clear();
  // `ready` is called on `loop` when what was Pending has come, where it has to be waited for.
  void reset(backends::EntryRef entry, EventLoop& loop, std::function<void()> ready);
  Pull pull(std::span<iovec> parts) override;
  void consume(std::size_t bytes) override;

 private:
  backends::EntryRef entry_;
  std::size_t part_ = 0;    // index of the first part not sent whole
  std::size_t offset_ = 0;  // bytes of it that were sent
  // Of a far body: how it is read, and how much of it was sent.
  std::unique_ptr<backends::FarReader> far_;
  EventLoop* loop_ = nullptr;
  std::uint64_t far_at_ = 0;

  Pull pull_far(std::span<iovec> parts);
};

class H1Output {
 public:
  enum class Status : std::uint8_t {
    Done,          // all of it was sent
    Blocked,       // the socket is full
    Starved,       // the source has nothing now
    SourceFailed,  // the body broke off: the client must see it cut
    PeerGone,
  };
  enum class BodyFraming : std::uint8_t { Plain, Chunked };

  void reset();
  // Bytes to send first; append to it.
  std::string& head() { return head_; }
  // What follows them: the entry's stored fields and the blank line; with `body` also a body that
  // lies inline there. A larger one is set_body()'s.
  void set_stored(const backends::EntryRef& entry, bool body);
  void set_body(BodySource* source, BodyFraming framing);
  // A body that goes out with the head, behind what that holds so far.
  void add_short_body(std::string_view body) {
    head_ += body;
    body_bytes_ += body.size();
  }

  Status flush(Connection& connection);
  // Whether the last flush moved anything.
  bool progressed() const { return progressed_; }
  std::uint64_t body_bytes() const { return body_bytes_; }

 private:
  static constexpr std::size_t kMaxParts = 64;

  struct Gathered {
    std::array<iovec, kMaxParts> parts;
    std::size_t count = 0;
    std::size_t bytes = 0;
    FileRange file;  // behind the parts
    BodySource::Status source = BodySource::Status::End;
  };
  void gather(Gathered& out);
  BodySource::Pull pull_body(std::array<iovec, kMaxParts>& data);
  bool finished() const;
  void add(Gathered& out, std::string_view bytes) const;
  IoResult send(Connection& connection, const Gathered& out);
  void taken(std::size_t bytes);
  static std::size_t take(std::size_t& at, std::size_t size, std::size_t bytes);

  std::string head_;
  std::size_t head_at_ = 0;
  backends::EntryRef entry_;  // keeps stored_ alive
  std::string_view stored_;
  std::size_t stored_at_ = 0;
  std::size_t stored_head_size_ = 0;  // the rest of stored_ is body
  BodySource* source_ = nullptr;
  BodyFraming framing_ = BodyFraming::Plain;
  std::size_t data_left_ = 0;  // body bytes of the gathered run (chunked: of the open chunk)
  std::string_view suffix_;    // follows those bytes; chunked only
  bool ends_ = true;           // nothing follows data_left_ and suffix_
  std::uint64_t body_bytes_ = 0;
  bool progressed_ = false;
};

}  // namespace weir::front
