// The app's answer, from raw lines and bytes: validates heads, decides framing by itself, decodes
// and counts the body. Shared by wire_fetch and tunnel, so that both accept exactly the same
// answers. Pure state, no I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/http/h1_parser.h"
#include "conf/config.h"
#include "proxy/upstream/fetcher.h"

namespace weir::upstream {

class AnswerReader {
 public:
  enum class Event : std::uint8_t { None, Informational, Head, Garbage };

  // `response_headers`: how many bytes a head may have.
  explicit AnswerReader(std::uint64_t response_headers = conf::Limits().response_headers)
      : most_head_bytes_(response_headers) {}

  // `upgrade_asked`: a 101 is a final head; otherwise nobody asked for it and it is garbage.
  void reset(bool to_head_request, bool upgrade_asked);

  // Takes bytes from the front of `raw` up to the next event, or all of them. The same events as
  // feed_line(); bytes of a line that has not ended are kept.
  Event feed_head(std::string_view& raw);
  // One line of a head. After Informational and Head, take_head() has it. Lines after the final
  // head are trailers and ignored.
  Event feed_line(std::string_view line);
  http::ResponseHead take_head() { return std::move(parser_.head()); }

  // Takes bytes from the front of `raw` and sets `data` to a run of body bytes, maybe empty; called
  // until `raw` is empty. False: garbage.
  bool feed_body(std::string_view& raw, std::string_view& data);

  // Any byte of an answer has come.
  bool any_byte() const { return any_byte_; }
  bool has_head() const { return has_head_; }
  // A 100 has come: the app wants the request's body.
  bool says_continue() const { return says_continue_; }
  // Head and body are here, by their explicit framing.
  bool complete() const { return complete_; }
  // A 101 was accepted: what follows is the tunnel's.
  bool tunnel() const { return tunnel_; }
  // Bytes beyond the end can only be garbage; with a length they may also be another answer.
  bool chunked() const { return framing_ == http::Framing::Chunked; }
  // Whether the connection may carry another request, as far as the head can tell.
  bool reusable() const { return reusable_; }
  // The head says that no byte follows it. Some apps send a body all the same (to HEAD, 204, 304,
  // Content-Length: 0), and their users may choose its bytes: a next answer, to whoever reads on.
  bool bodiless() const { return bodiless_; }
  bool event_stream() const { return event_stream_; }
  // What the answer is worth if the connection ends now without an error.
  FetchResult result_at_end() const;
  const std::string& error() const { return error_; }

 private:
  Event garbage(std::string why);
  Event too_long();
  void begin_head();
  void forget_line();
  Event keep_part(std::string_view part);
  Event accept_head();
  Event accept_informational();
  void accept_final_head(const http::ResponseHead& head);

  const std::size_t most_head_bytes_;
  http::ResponseHeadParser parser_;
  http::ChunkedDecoder decoder_{http::ChunkBlanks::Skipped};
  std::string error_;
  std::string line_;  // what has come of a line
  http::Framing framing_ = http::Framing::None;
  std::uint64_t remaining_ = 0;
  int informational_ = 0;
  std::size_t informational_bytes_ = 0;
  bool to_head_request_ = false;
  bool upgrade_asked_ = false;
  bool any_byte_ = false;
  bool in_head_ = false;      // a status line has come, its head has not ended
  bool parsed_head_ = false;  // the parser holds a finished head: reset before the next line
  bool has_head_ = false;
  bool says_continue_ = false;
  bool complete_ = false;
  bool tunnel_ = false;
  bool reusable_ = false;
  bool bodiless_ = false;
  bool event_stream_ = false;
};

// Feeds `answer` and passes the head that it may complete to `sink`. The sink may end its fetch:
// look whether that is so before going on.
AnswerReader::Event pass_head(AnswerReader& answer, std::string_view& raw, FetchSink& sink);

}  // namespace weir::upstream
