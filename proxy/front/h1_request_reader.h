// The reading half of an HTTP/1.1 session: takes bytes from its connection and makes of them heads,
// and the body behind each head. Loop thread only.
//
// Bytes are received into a buffer that all sessions share, and read there: a request that comes
// whole is never copied. What is not used up when the session returns to the loop is stowed into a
// buffer of its own. The views of a head stay good until anybody receives; who needs them longer
// keeps the head, or has its answer batched (answer_batch.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/http/h1_parser.h"
#include "base/net/connection.h"
#include "conf/config.h"
#include "proxy/front/answer_batch.h"
#include "proxy/front/exchange.h"
#include "proxy/front/h1_request_body.h"

namespace weir::front {

class H1RequestReader {
 public:
  H1RequestReader(Connection& connection, AnswerBatch& batch, const conf::Limits& limits);

  // ---- bytes ----
  // Takes once what the connection has; Ok means that there is something new. While a request is
  // `served` only so much is taken ahead of it. No head may be in use unkept.
  IoStatus receive(bool served);
  // As much is taken ahead as may be: what follows is left to the kernel.
  bool full() const;
  bool empty() const { return unread().empty(); }
  void stow();
  // Throws away what was received, and the memory that held it.
  void drop();
  // Gives back memory that an idle connection should not hold; what it holds, in bytes.
  void trim();
  std::size_t held_bytes() const { return stored_.capacity(); }
  // For a connection of which nothing is wanted any more.
  IoResult receive_and_drop() { return connection_.read(batch_.room()); }

  // ---- a head ----
  // Reads on where the last call ended. Done: `head` is filled with views, its body comes next.
  // Error: error() says why; nothing that follows can be read.
  http::ParseStatus read_head(http::RequestHead& head);
  const http::ParseError& error() const { return parser_.error(); }
  // A byte of the next request has come that is more than a stray line end.
  bool head_begun() const { return parser_.started(); }
  // The bytes of the head read last; none once it is kept.
  std::string_view head_bytes() const { return head_bytes_; }
  // Moves the views of the head read last to a copy of its bytes in `kept`. Once; later calls do
  // nothing.
  void keep_head(http::RequestHead& head, std::string& kept);

  // ---- its body ----
  BodyRead read_body(std::span<char> into);
  const H1RequestBody& body() const { return body_; }
  // Whether the body's end is among the bytes that are here.
  bool holds_rest_of_body() const { return body_.ends_in(unread()); }
  // What comes, as it is: bytes of a tunnel. Pending when there are none.
  BodyRead read_raw(std::span<char> into);
  // The request is over, and its head forgotten. What has come of its body is thrown away; false
  // when more of it would have to come.
  bool end_request();

 private:
  std::string_view unread() const;
  void use(std::size_t bytes);

  Connection& connection_;
  AnswerBatch& batch_;
  const std::uint64_t max_body_;
  http::RequestParser parser_;
  H1RequestBody body_;
  std::string_view fresh_;  // unread, in the shared buffer; then stored_ holds nothing unread
  std::string stored_;      // the session's own buffer
  std::size_t stored_at_ = 0;
  std::string_view head_bytes_;  // of a head that was read and not kept: must not be moved
};

}  // namespace weir::front
