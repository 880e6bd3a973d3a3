// Decodes a request's body from the raw bytes that the session received. Pure but for its state.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/http/h1_parser.h"
#include "proxy/front/exchange.h"

namespace weir::front {

class H1RequestBody {
 public:
  // `max_body` 0: no bound.
  void reset(http::Framing framing, std::uint64_t content_length, std::uint64_t max_body);

  // Copies decoded bytes from the front of `raw` into `into`; `raw` loses what was used.
  BodyRead read(std::string_view& raw, std::span<char> into);
  // Passes over what `raw` holds of this body. True when the body has ended.
  bool discard(std::string_view& raw);
  // Whether its end lies within these bytes, which are not read.
  bool ends_in(std::string_view raw) const;

  bool ended() const { return ended_; }
  bool failed() const { return error_.detail.data() != nullptr; }
  // What to answer after Failed: 400 or 413.
  const http::ParseError& error() const { return error_; }

 private:
  BodyRead read_length(std::string_view& raw, std::span<char> into);
  BodyRead read_chunked(std::string_view& raw, std::span<char> into);
  BodyRead fail(int status, std::string_view detail);

  http::Framing framing_ = http::Framing::None;
  std::uint64_t remaining_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t max_body_ = 0;
  bool ended_ = true;
  http::ParseError error_;
  http::ChunkedDecoder chunks_;
};

}  // namespace weir::front
