// A request as bytes: one head, nothing in it that we did not write, then the body, framed, pulled
// as the app takes it. The buffer is reused from request to request. Loop thread only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "proxy/upstream/fetcher.h"
#include "proxy/upstream/wire_connection.h"

namespace weir::upstream {

// Appends request line and header section with the blank line. False, and `out` is worthless, when
// anything in the request could be read as more than one line: the last look before bytes from
// outside go to the app. `upgrade`: for a tunnel, which has no body.
bool append_request_head(std::string& out, const FetchRequest& request, std::string_view host);

class RequestWriter {
 public:
  enum class Status : std::uint8_t {
    Sent,        // all of it
    Blocked,     // the app takes no more at present, or others are due: go on when it is writable
    Pending,     // the body has nothing at present, or is held
    BodyFailed,  // the message must be cut visibly: the connection has to go
    Dead,        // the connection takes nothing more; it may still have an answer to read
  };

  // A new fetch. `request` stays until the last write().
  void begin(const FetchRequest& request);
  // A new attempt; only while untouched().
  bool start(std::string_view host);
  // The fetch has ended: a buffer that grew for it is not kept.
  void release();
  // Sends what there is. `scratch` is for the body's pieces.
  Status write(WireConnection& connection, std::span<char> scratch);

  // The body, which was Pending, has something to say.
  void body_ready() { body_waits_ = false; }

  // Until this only the head is sent of a request that expects to be told to continue.
  void open_body() { body_held_ = false; }
  bool holds_body() const { return body_held_; }

  bool has_body() const { return request_->body != nullptr; }
  // Nothing of the body was read: the request can be sent again.
  bool untouched() const { return !has_body() || (body_read_ == 0 && !body_done_); }
  bool any_sent() const { return any_sent_; }
  bool all_sent() const { return body_done_ && unsent().empty(); }

 private:
  std::string_view unsent() const { return std::string_view(bytes_).substr(sent_); }
  Status pull(std::span<char> scratch);

  const FetchRequest* request_ = nullptr;
  std::string bytes_;
  std::size_t sent_ = 0;  // of bytes_
  std::uint64_t body_read_ = 0;
  bool body_done_ = false;
  bool body_waits_ = false;  // it said Pending
  bool body_held_ = false;
  bool any_sent_ = false;
};

}  // namespace weir::upstream
