// HTTP/1.1 heads and chunked bodies, read strictly (RFC 9112): one interpretation of the bytes or
// an error. Incremental: a parser may be fed a byte at a time and looks at each byte once.
// Not thread-safe. Nothing here allocates once the head's field list has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/http/message.h"
#include "base/result.h"

namespace weir::http {

struct HeadLimits {
  std::size_t request_line = 8 * 1024;  // bytes, 414 past it
  std::size_t headers = 32 * 1024;      // bytes of the header section, 431 past it
  std::size_t header_count = 100;       // 431 past it
};

// The most that a response's head may be allowed, its status line included. What is allowed is the
// configuration's.
constexpr std::size_t kMaxResponseHeadBytes = 1024 * 1024;

// Why a message was refused: the status to answer with, and a stable word for logs and tests.
struct ParseError {
  int status = 400;
  std::string_view detail;  // a literal, such as "bad-header-name"
};

enum class ParseStatus : std::uint8_t { NeedMore, Done, Error };

class RequestParser {
 public:
  explicit RequestParser(const HeadLimits& limits);

  // Before each request.
  void reset();
  // `data` is everything received from this request's first byte on; later calls pass the same
  // bytes and more, perhaps at another address, and the same `head`, rebased or not. Done: `head`
  // is filled with views into `data`, and consumed() is the head's length with its blank line.
  // Error: error() says why; reset() is all that may follow.
  ParseStatus parse(std::string_view data, RequestHead& head);
  std::size_t consumed() const { return position_; }
  const ParseError& error() const { return error_; }
  // Whether any byte of a request beyond an optional leading CRLF has been seen.
  bool started() const { return started_; }

 private:
  // clang-format off
  enum class State : std::uint8_t {
    Start, StartLf, Method, Target, Version, VersionLf,   // the request line
    FieldStart, FieldName, FieldValue, FieldLf, BlankLf,  // the header section
    Done, Failed
  };
  // clang-format on

  // Each reads on from position_ and returns whether there is something to go on with: false when
  // the bytes have run out, and in the states Done and Failed.
  bool step(std::string_view data, RequestHead& head);
  bool read_start(char c);
  bool read_method(std::string_view data, RequestHead& head);
  bool read_target(std::string_view data, RequestHead& head);
  bool read_version(std::string_view data, RequestHead& head);
  bool read_field_start(std::string_view data, RequestHead& head);
  bool read_field_name(std::string_view data, RequestHead& head);
  bool read_field_value(std::string_view data, RequestHead& head);
  bool read_lf(char c, State next);

  bool within_limits(char c);
  bool finish_field(std::string_view data, std::size_t value_end, RequestHead& head);
  bool finish_head(RequestHead& head);
  // Take in what a field says of this message's framing and connection; false after fail().
  bool accept_field(const FieldView& field, RequestHead& head);
  bool accept_host(const FieldView& field, RequestHead& head);
  bool accept_content_length(const FieldView& field, RequestHead& head);
  bool accept_transfer_encoding(const FieldView& field, RequestHead& head);
  bool accept_connection(const FieldView& field);

  bool enter(State next, std::size_t position);
  bool fail(int status, std::string_view detail);

  HeadLimits limits_;
  ParseError error_;
  State state_ = State::Start;
  bool started_ = false;
  bool close_asked_ = false;
  bool keep_alive_asked_ = false;
  bool leading_crlf_ = false;
  // Offsets into the data.
  std::size_t position_ = 0;     // what lies before it has been read
  std::size_t token_start_ = 0;  // of the method, target, version or field name being read
  std::size_t name_end_ = 0;
  std::size_t section_end_ = 0;  // where the limit of the request line or of the fields lies
  std::size_t method_start_ = 0;
  std::size_t connection_bytes_ = 0;  // of all Connection values
};

// Two lines of a response's head, each without its end. What they return points into `line`.
struct StatusLine {
  std::uint8_t minor_version = 1;
  std::uint16_t status = 0;
  std::string_view reason;
};
Result<StatusLine> read_status_line(std::string_view line);
Result<FieldView> read_field_line(std::string_view line);

// A response head, line by line. Its lines end in CRLF, or all of them in LF alone, as some apps
// write them: a head that mixes both is what an injected line looks like. Any fault in syntax or
// framing is an error (the caller answers 502): a folded or nameless line, a control byte, an
// invalid, repeated or conflicting length, an unknown transfer coding. Beyond `max_bytes` it is
// ErrorCode::TooLarge.
class ResponseHeadParser {
 public:
  // Before each head. `to_head_request`: the answer to HEAD has no body whatever its fields say.
  void reset(bool to_head_request, std::size_t max_bytes = kMaxResponseHeadBytes);
  // One line with its end. True when it was the blank line that ends the head: head() is complete,
  // framing decided (RFC 9112 6.3). 1xx heads are complete heads of their own.
  Result<bool> feed_line(std::string_view line);
  ResponseHead& head() { return head_; }
  // Of the lines that were fed, and how many more there may be.
  std::size_t bytes() const { return bytes_; }
  std::size_t bytes_left() const { return max_bytes_ - bytes_; }

 private:
  bool take_line_end(std::string_view& line);
  Result<void> accept_field(const FieldView& field);
  Result<void> accept_framing_field(FieldId id, std::string_view value);
  void decide_framing();

  ResponseHead head_;
  bool to_head_request_ = false;
  bool have_status_line_ = false;
  bool bare_lf_ = false;  // the status line ended in LF alone
  bool complete_ = false;
  bool have_content_length_ = false;
  bool have_transfer_encoding_ = false;
  std::size_t bytes_ = 0;
  std::size_t connection_bytes_ = 0;  // of all Connection values
  std::size_t max_bytes_ = kMaxResponseHeadBytes;
};

// Blanks behind a chunk's size and around the parts of its extensions (RFC 9112 7.1.1: bad white
// space). Some apps pad their sizes with them.
enum class ChunkBlanks : std::uint8_t { Refused, Skipped };

// Decodes the chunked transfer coding (RFC 9112 7.1). Extensions are checked and dropped, trailers
// are checked and dropped, sizes are bounded, every line ends in CRLF.
class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(ChunkBlanks blanks = ChunkBlanks::Refused) : blanks_(blanks) {}
  void reset();
  // Takes bytes from `in`: sets `consumed`, and `data` to a run of body bytes within `in` (maybe
  // empty). NeedMore: call again with what follows `consumed` (at once if any is left). Done: the
  // last chunk and the trailers ended at `consumed`. Error: the stream is unusable.
  ParseStatus decode(std::string_view in, std::size_t& consumed, std::string_view& data);
  const ParseError& error() const { return error_; }

 private:
  // clang-format off
  enum class State : std::uint8_t {
    SizeFirst, Size, SizeLf,                                             // 1*HEXDIG … CRLF
    ExtensionStart, ExtensionName, ExtensionNameEnd,                     // ;name
    ExtensionValueStart, ExtensionToken,                                 // =token
    ExtensionQuoted, ExtensionEscaped,                                   // ="string"
    PartEnd,  // behind a string, or a blank behind the size or a token
    Data, DataCr, DataLf,
    TrailerStart, TrailerName, TrailerValue, TrailerLf, LastLf,
    Done, Failed
  };
  // clang-format on

  // Each takes one byte; false after fail().
  bool take(char c);
  bool take_size(char c);
  bool take_extension(char c);
  bool take_extension_value(char c);
  bool is_skipped(char c) const;
  bool skip_blank();
  bool take_trailer(char c);
  bool take_line_end(char c);
  bool end_extension_part(char c);
  bool count_extension_byte();
  bool fail(int status, std::string_view detail);

  ChunkBlanks blanks_;
  State state_ = State::SizeFirst;
  ParseError error_;
  std::uint64_t remaining_ = 0;  // the size being read, then what is left of the chunk
  std::uint32_t size_digits_ = 0;
  std::uint32_t line_extension_bytes_ = 0;
  std::uint32_t extension_bytes_ = 0;  // of the whole message
  std::uint32_t trailer_bytes_ = 0;
};

}  // namespace weir::http
