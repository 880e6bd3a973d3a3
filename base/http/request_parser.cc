// Reading a request head byte by byte; what its fields mean is in request_fields.cc.
#include <algorithm>
#include <cstring>

#include "base/http/authority.h"
#include "base/http/char_class.h"
#include "base/http/h1_parser.h"
#include "base/http/request_target.h"
#include "base/text.h"

namespace weir::http {
namespace {

// Longer than any registered method; a longer one is surely none that the app implements.
constexpr std::size_t kMaxMethod = 32;
constexpr std::string_view kVersionPrefix = "HTTP/";

}  // namespace

RequestParser::RequestParser(const HeadLimits& limits) : limits_(limits) {
  // RequestHead finds fields by 16-bit index.
  limits_.header_count = std::min<std::size_t>(limits_.header_count, UINT16_MAX);
}

void RequestParser::reset() {
  error_ = {};
  state_ = State::Start;
  started_ = close_asked_ = keep_alive_asked_ = leading_crlf_ = false;
  position_ = token_start_ = name_end_ = section_end_ = method_start_ = 0;
  connection_bytes_ = 0;
}

ParseStatus RequestParser::parse(std::string_view data, RequestHead& head) {
  const char* const bytes = data.data();
  const char* const method = head.method_text.data();
  if (position_ == 0) {
    head.clear();
  } else if (method != nullptr && method != bytes + method_start_) {
    head.rebase(method - method_start_, bytes);
  }
  while (position_ < data.size() && step(data, head)) {
  }
  if (state_ == State::Done) return ParseStatus::Done;
  return state_ == State::Failed ? ParseStatus::Error : ParseStatus::NeedMore;
}

bool RequestParser::step(std::string_view data, RequestHead& head) {
  const char c = data[position_];
  if (position_ >= section_end_ && !within_limits(c)) return false;
  switch (state_) {
    case State::Start:
      return read_start(c);
    case State::StartLf:
      leading_crlf_ = true;
      return read_lf(c, State::Start);
    case State::Method:
      return read_method(data, head);
    case State::Target:
      return read_target(data, head);
    case State::Version:
      return read_version(data, head);
    case State::VersionLf:
      section_end_ = position_ + 1 + limits_.headers;
      return read_lf(c, State::FieldStart);
    case State::FieldStart:
      return read_field_start(data, head);
    case State::FieldName:
      return read_field_name(data, head);
    case State::FieldValue:
      return read_field_value(data, head);
    case State::FieldLf:
      if (c != '\n') return fail(400, "bare-cr");
      return finish_field(data, position_ - 1, head);
    case State::BlankLf:
      if (c != '\n') return fail(400, "bare-cr");
      ++position_;
      return finish_head(head);
    case State::Done:
    case State::Failed:
      return false;
  }
  return false;
}

// Called for a byte at or behind section_end_. The bytes that end a section within its limit may
// lie behind it: the request line's CRLF, the header section's blank line.
bool RequestParser::within_limits(char c) {
  switch (state_) {
    case State::Method:
    case State::Target:
      return fail(414, "request-line-too-long");
    case State::Version:
      return c == '\r' || fail(414, "request-line-too-long");
    case State::FieldStart:
      return c == '\r' || fail(431, "headers-too-long");
    case State::FieldName:
    case State::FieldValue:
    case State::FieldLf:
      return fail(431, "headers-too-long");
    default:
      return true;
  }
}

// RFC 9112 2.2: an empty line before the request is ignored, one at most here.
bool RequestParser::read_start(char c) {
  if (c == '\r' && !leading_crlf_) return enter(State::StartLf, position_ + 1);
  started_ = true;
  method_start_ = position_;
  section_end_ = position_ + limits_.request_line;
  return enter(State::Method, position_);
}

bool RequestParser::read_lf(char c, State next) {
  if (c != '\n') return fail(400, "bare-cr");
  return enter(next, position_ + 1);
}

bool RequestParser::read_method(std::string_view data, RequestHead& head) {
  const std::size_t longest = std::min(section_end_, method_start_ + kMaxMethod + 1);
  const char* end = data.data() + std::min(data.size(), longest);
  const char* stop = find_not(data.data() + position_, end, kTokenChar);
  position_ = static_cast<std::size_t>(stop - data.data());
  if (position_ - method_start_ > kMaxMethod) return fail(501, "method-too-long");
  if (stop == end) return true;
  if (*stop != ' ' || position_ == method_start_) return fail(400, "bad-method");
  head.method_text = data.substr(method_start_, position_ - method_start_);
  head.method = parse_method(head.method_text);
  return enter(State::Target, position_ + 1);
}

bool RequestParser::read_target(std::string_view data, RequestHead& head) {
  if (position_ == token_start_ && !may_start_target(data[position_], head.method)) {
    return fail(400, "bad-target");
  }
  const char* end = data.data() + std::min(data.size(), section_end_);
  const char* stop = find_not_target(data.data() + position_, end);
  position_ = static_cast<std::size_t>(stop - data.data());
  if (stop == end) return true;
  if (*stop == '#') return fail(400, "fragment-in-target");
  if (*stop == '\r' || *stop == '\n') return fail(400, "bad-request-line");
  if (*stop != ' ') return fail(400, "bad-target");
  if (!split_target(data.substr(token_start_, position_ - token_start_), head)) {
    return fail(400, "bad-target");
  }
  return enter(State::Version, position_ + 1);
}

bool RequestParser::read_version(std::string_view data, RequestHead& head) {
  constexpr std::string_view kUsual = "HTTP/1.1\r\n";
  if (position_ == token_start_ && position_ + 8 <= section_end_ &&
      data.substr(position_, kUsual.size()) == kUsual) {
    section_end_ = position_ + kUsual.size() + limits_.headers;
    return enter(State::FieldStart, position_ + kUsual.size());
  }
  const char c = data[position_];
  const std::size_t at = position_ - token_start_;
  const bool digit = c >= '0' && c <= '9';
  if (at == 8) {
    if (c != '\r') return fail(400, "bad-request-line");
    return enter(State::VersionLf, position_ + 1);
  }
  if (at < 5 ? c != kVersionPrefix[at] : at == 6 ? c != '.' : !digit) {
    return fail(400, "bad-version");
  }
  if (at == 7) {
    if (data[position_ - 2] != '1') return fail(505, "unsupported-version");
    // RFC 9110 2.5: a higher minor version is handled as the highest one known.
    head.minor_version = c == '0' ? 0 : 1;
  }
  ++position_;
  return true;
}

bool RequestParser::read_field_start(std::string_view data, RequestHead& head) {
  const char c = data[position_];
  if (c == '\r') return enter(State::BlankLf, position_ + 1);
  if (c == ' ' || c == '\t') return fail(400, "folded-line");
  if (head.fields.size() >= limits_.header_count) return fail(431, "too-many-headers");
  state_ = State::FieldName;
  token_start_ = position_;
  return read_field_name(data, head);
}

bool RequestParser::read_field_name(std::string_view data, RequestHead& head) {
  const char* end = data.data() + std::min(data.size(), section_end_);
  const char* stop = find_not(data.data() + position_, end, kTokenChar);
  position_ = static_cast<std::size_t>(stop - data.data());
  if (stop == end) return true;
  if (*stop != ':' || position_ == token_start_) {
    const bool space = *stop == ' ' || *stop == '\t';
    return fail(400, space ? "space-in-header-name" : "bad-header-name");
  }
  name_end_ = position_++;
  state_ = State::FieldValue;
  return stop + 1 == end || read_field_value(data, head);
}

bool RequestParser::read_field_value(std::string_view data, RequestHead& head) {
  const char* end = data.data() + std::min(data.size(), section_end_);
  const char* stop = find_not_value(data.data() + position_, end);
  position_ = static_cast<std::size_t>(stop - data.data());
  if (stop == end) return true;
  if (*stop != '\r') return fail(400, *stop == '\n' ? "bare-lf" : "bad-header-value");
  ++position_;
  state_ = State::FieldLf;
  if (stop + 1 == end || stop[1] != '\n') return true;
  return finish_field(data, position_ - 1, head);
}

// At the LF that ends a field line.
bool RequestParser::finish_field(std::string_view data, std::size_t value_end, RequestHead& head) {
  ++position_;
  state_ = State::FieldStart;
  const char* bytes = data.data();
  FieldView field;
  field.name = {bytes + token_start_, name_end_ - token_start_};
  field.value = trim_ows({bytes + name_end_ + 1, value_end - name_end_ - 1});
  field.id = field_id(field.name);
  if (!accept_field(field, head)) return false;
  head.add(field);
  return true;
}

bool RequestParser::enter(State next, std::size_t position) {
  state_ = next;
  position_ = token_start_ = position;
  return true;
}

bool RequestParser::fail(int status, std::string_view detail) {
  state_ = State::Failed;
  error_ = {status, detail};
  return false;
}

}  // namespace weir::http
