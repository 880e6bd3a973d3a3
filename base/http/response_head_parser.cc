#include <algorithm>
#include <string>

#include "base/http/char_class.h"
#include "base/http/framing.h"
#include "base/http/h1_parser.h"
#include "base/text.h"

namespace weir::http {
namespace {

// Stored heads note its length in 16 bits (backends/entry.h); nobody's reason is nearly as long.
constexpr std::size_t kMaxStatusLine = 60 * 1024;

// Its options are compared with every field of the head, so a flood of them must not get through.
constexpr std::size_t kMaxConnectionBytes = 1024;

std::unexpected<Error> refuse(std::string_view why) {
  return fail(ErrorCode::Invalid, "response head: " + std::string(why));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "chunked, chunked", or more of it.
bool repeats_chunked(std::string_view codings) {
  std::size_t chunked = 0;
  std::size_t all = 0;
  for_each_list_element(codings, [&](std::string_view coding) {
    ++all;
    if (equals_ignore_case(coding, "chunked")) ++chunked;
  });
  return all > 1 && chunked == all;
}

// Frameworks do it when the app sets the field and the server below it does too.
std::unexpected<Error> refuse_twice_chunked() {
  return refuse(
      "Transfer-Encoding: chunked twice (the app's server adds it by itself: take it out of the "
      "fields that the app sets)");
}

}  // namespace

// "HTTP/1.1 200 OK". The SP before an empty reason is often left out, and nothing hangs on it.
Result<StatusLine> read_status_line(std::string_view line) {
  if (!is_field_text(line)) return refuse("control byte");
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || !is_digit(line[7]) || line[8] != ' ') {
    return refuse("bad status line");
  }
  if (line.size() > kMaxStatusLine) return refuse("status line too long");
  const std::string_view code = line.substr(9, 3);
  if (code[0] < '1' || code[0] > '9' || !is_digit(code[1]) || !is_digit(code[2])) {
    return refuse("bad status code");
  }
  if (line.size() > 12 && line[12] != ' ') return refuse("bad status line");
  const int status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
  return StatusLine{.minor_version = static_cast<std::uint8_t>(line[7] == '0' ? 0 : 1),
                    .status = static_cast<std::uint16_t>(status),
                    .reason = line.substr(std::min<std::size_t>(13, line.size()))};
}

Result<FieldView> read_field_line(std::string_view line) {
  if (!is_field_text(line)) return refuse("control byte");
  if (line.starts_with(' ') || line.starts_with('\t')) return refuse("folded line");
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(name) || name.size() > UINT16_MAX) {
    return refuse("bad field name");
  }
  return FieldView{field_id(name), name, trim_ows(line.substr(colon + 1))};
}

void ResponseHeadParser::reset(bool to_head_request, std::size_t max_bytes) {
  head_ = ResponseHead{};
  to_head_request_ = to_head_request;
  have_status_line_ = bare_lf_ = complete_ = have_content_length_ = have_transfer_encoding_ = false;
  bytes_ = connection_bytes_ = 0;
  max_bytes_ = max_bytes;
}

Result<bool> ResponseHeadParser::feed_line(std::string_view line) {
  if (complete_) return refuse("line after its end");
  if (line.size() > bytes_left()) {
    return fail(ErrorCode::TooLarge, "response head: too long");
  }
  bytes_ += line.size();
  if (!line.ends_with('\n')) return refuse("line without its end");
  if (!take_line_end(line)) return refuse("lines that end in CRLF and lines that end in LF");
  if (!have_status_line_) {
    have_status_line_ = true;
    const Result<StatusLine> read = read_status_line(line);
    if (!read) return std::unexpected(read.error());
    head_.minor_version = read->minor_version;
    head_.status = read->status;
    head_.reason = read->reason;
    return false;
  }
  if (line.empty()) {
    decide_framing();
    complete_ = true;
    return true;
  }
  const Result<FieldView> field = read_field_line(line);
  if (!field) return std::unexpected(field.error());
  if (auto accepted = accept_field(*field); !accepted) {
    return std::unexpected(std::move(accepted.error()));
  }
  return false;
}

// Whether it ends as the status line did.
bool ResponseHeadParser::take_line_end(std::string_view& line) {
  line.remove_suffix(1);
  const bool bare_lf = !line.ends_with('\r');
  if (!bare_lf) line.remove_suffix(1);
  if (!have_status_line_) bare_lf_ = bare_lf;
  return bare_lf == bare_lf_;
}

Result<void> ResponseHeadParser::accept_field(const FieldView& field) {
  if (field.id == FieldId::ContentLength || field.id == FieldId::TransferEncoding) {
    if (auto accepted = accept_framing_field(field.id, field.value); !accepted) return accepted;
  }
  if (field.id == FieldId::Connection) connection_bytes_ += field.value.size();
  if (connection_bytes_ > kMaxConnectionBytes) return refuse("Connection too long");
  head_.fields.add(field.name, field.value);
  return {};
}

// RFC 9112 6.3, narrowed: no repetition, not both, nothing but the chunked coding.
Result<void> ResponseHeadParser::accept_framing_field(FieldId id, std::string_view value) {
  if (id == FieldId::ContentLength) {
    if (have_content_length_) return refuse("repeated Content-Length");
    have_content_length_ = true;
    const auto length = parse_content_length(value);
    if (!length) return refuse("bad Content-Length");
    head_.content_length = *length;
  } else {
    const bool chunked = parse_transfer_encoding(value) == TransferCoding::Chunked;
    if (repeats_chunked(value)) return refuse_twice_chunked();
    if (have_transfer_encoding_) {
      return chunked ? refuse_twice_chunked() : refuse("repeated Transfer-Encoding");
    }
    have_transfer_encoding_ = true;
    if (head_.minor_version == 0) return refuse("Transfer-Encoding in HTTP/1.0");
    if (!chunked) return refuse("unknown Transfer-Encoding");
  }
  if (have_content_length_ && have_transfer_encoding_) {
    return refuse("both Content-Length and Transfer-Encoding");
  }
  return {};
}

void ResponseHeadParser::decide_framing() {
  const bool bodiless =
      to_head_request_ || head_.status < 200 || head_.status == 204 || head_.status == 304;
  if (bodiless) {
    head_.framing = Framing::None;
  } else if (have_transfer_encoding_) {
    head_.framing = Framing::Chunked;
  } else if (have_content_length_) {
    head_.framing = head_.content_length > 0 ? Framing::Length : Framing::None;
  } else {
    head_.framing = Framing::UntilClose;
  }
}

}  // namespace weir::http
