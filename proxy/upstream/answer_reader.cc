#include "proxy/upstream/answer_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/http/hop_by_hop.h"
#include "base/http/upgrade.h"
#include "base/text.h"
#include "conf/units.h"

namespace weir::upstream {
namespace {

// An app that works for long may say so every second or two; more is an attack on our patience.
constexpr int kMostInformational = 100;
constexpr std::size_t kMostInformationalBytes = 64 * 1024;

// A line that grew beyond this is not kept for the next.
constexpr std::size_t kMostKept = 8 * 1024;

constexpr std::string_view kProtocol = "HTTP/";

bool announces_close(const http::ResponseHead& head) {
  return http::named_by_connection(head.fields, "close");
}

// NTLM and Negotiate log in a connection, not a request: it must not serve anybody else.
bool authenticates_connection(const http::ResponseHead& head) {
  bool found = false;
  head.fields.for_each([&](const http::FieldView& field) {
    if (field.id != http::FieldId::WwwAuthenticate) return;
    for_each_list_element(field.value, [&](std::string_view challenge) {
      found = found || starts_with_ignore_case(challenge, "NTLM") ||
              starts_with_ignore_case(challenge, "Negotiate");
    });
  });
  return found;
}

}  // namespace

void AnswerReader::reset(bool to_head_request, bool upgrade_asked) {
  to_head_request_ = to_head_request;
  upgrade_asked_ = upgrade_asked;
  parser_.reset(to_head_request, most_head_bytes_);
  decoder_.reset();
  error_.clear();
  forget_line();
  framing_ = http::Framing::None;
  remaining_ = 0;
  informational_ = 0;
  informational_bytes_ = 0;
  says_continue_ = false;
  any_byte_ = in_head_ = parsed_head_ = has_head_ = complete_ = tunnel_ = reusable_ = bodiless_ =
      event_stream_ = false;
}

AnswerReader::Event AnswerReader::garbage(std::string why) {
  error_ = std::move(why);
  forget_line();
  return Event::Garbage;
}

void AnswerReader::forget_line() {
  line_.clear();
  if (line_.capacity() > kMostKept) line_.shrink_to_fit();
}

AnswerReader::Event AnswerReader::too_long() {
  return garbage(fmt::format("response head: longer than limits.response_headers ({})",
                             conf::format_size(most_head_bytes_)));
}

AnswerReader::Event AnswerReader::feed_head(std::string_view& raw) {
  while (!raw.empty()) {
    const std::size_t end = raw.find('\n');
    const bool whole = end != std::string_view::npos;
    const std::string_view part = raw.substr(0, whole ? end + 1 : end);
    raw.remove_prefix(part.size());
    if (!whole) return keep_part(part);
    Event event = Event::None;
    if (line_.empty()) {
      event = feed_line(part);
    } else {
      line_.append(part);
      event = feed_line(line_);
      forget_line();
    }
    if (event != Event::None) return event;
  }
  return Event::None;
}

// What is not HTTP at all may never end its line.
AnswerReader::Event AnswerReader::keep_part(std::string_view part) {
  any_byte_ = true;
  begin_head();
  if (line_.size() + part.size() > parser_.bytes_left()) return too_long();
  line_.append(part);
  if (!in_head_ && !std::string_view(line_).starts_with(kProtocol.substr(0, line_.size()))) {
    return garbage("response head: not HTTP");
  }
  return Event::None;
}

void AnswerReader::begin_head() {
  if (std::exchange(parsed_head_, false)) parser_.reset(to_head_request_, most_head_bytes_);
}

AnswerReader::Event AnswerReader::feed_line(std::string_view line) {
  if (has_head_) return Event::None;
  any_byte_ = in_head_ = true;
  begin_head();
  Result<bool> done = parser_.feed_line(line);
  if (done) return *done ? accept_head() : Event::None;
  if (done.error().code == ErrorCode::TooLarge) return too_long();
  return garbage(std::move(done.error().message));
}

AnswerReader::Event AnswerReader::accept_head() {
  const http::ResponseHead& head = parser_.head();
  parsed_head_ = true;
  in_head_ = false;
  if (head.status == 100) says_continue_ = true;
  if (head.status < 200 && head.status != 101) return accept_informational();
  if (head.status == 101) {
    if (!upgrade_asked_) return garbage("a 101 that nobody asked for");
    if (!head.fields.has(http::FieldId::Upgrade)) return garbage("a 101 without Upgrade");
    if (!http::names_tunnels(head.fields.joined(http::FieldId::Upgrade))) {
      return garbage("a 101 to a protocol that nobody offered");
    }
    tunnel_ = true;
  }
  accept_final_head(head);
  return Event::Head;
}

AnswerReader::Event AnswerReader::accept_informational() {
  if (++informational_ > kMostInformational) {
    return garbage(fmt::format("more than {} interim answers (1xx)", kMostInformational));
  }
  informational_bytes_ += parser_.bytes();
  if (informational_bytes_ > kMostInformationalBytes) {
    return garbage(fmt::format("more than {} of interim answers (1xx)",
                               conf::format_size(kMostInformationalBytes)));
  }
  return Event::Informational;
}

void AnswerReader::accept_final_head(const http::ResponseHead& head) {
  has_head_ = true;
  framing_ = head.framing;
  remaining_ = head.framing == http::Framing::Length ? head.content_length : 0;
  complete_ = !tunnel_ && framing_ == http::Framing::None;
  event_stream_ =
      starts_with_ignore_case(head.fields.value(http::FieldId::ContentType), "text/event-stream");
  bodiless_ = framing_ == http::Framing::None;
  reusable_ = head.minor_version == 1 && !announces_close(head) && !authenticates_connection(head);
}

bool AnswerReader::feed_body(std::string_view& raw, std::string_view& data) {
  data = {};
  if (!has_head_ || complete_) {
    error_ = complete_ ? "bytes after the answer's end" : "a body without a head";
    return false;
  }
  if (tunnel_ || framing_ == http::Framing::UntilClose) {
    data = std::exchange(raw, {});
    return true;
  }
  if (framing_ == http::Framing::Length) {
    data = raw.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, raw.size())));
    raw.remove_prefix(data.size());
    remaining_ -= data.size();
    complete_ = remaining_ == 0;
    return true;
  }
  std::size_t consumed = 0;
  const http::ParseStatus status = decoder_.decode(raw, consumed, data);
  if (status == http::ParseStatus::Error) {
    error_ = "chunked body: ";
    error_ += decoder_.error().detail;
    return false;
  }
  raw.remove_prefix(consumed);
  complete_ = status == http::ParseStatus::Done;
  return true;
}

FetchResult AnswerReader::result_at_end() const {
  if (complete_) return FetchResult::Complete;
  const bool by_close = tunnel_ || (has_head_ && framing_ == http::Framing::UntilClose);
  return by_close ? FetchResult::CompleteByClose : FetchResult::Broken;
}

AnswerReader::Event pass_head(AnswerReader& answer, std::string_view& raw, FetchSink& sink) {
  const AnswerReader::Event event = answer.feed_head(raw);
  if (event == AnswerReader::Event::Informational) sink.on_informational(answer.take_head());
  if (event == AnswerReader::Event::Head) sink.on_head(answer.take_head());
  return event;
}

}  // namespace weir::upstream
