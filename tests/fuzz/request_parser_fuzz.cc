// Any bytes as a request head: pieces give what the whole gives, views lie in the data, and what is
// accepted means the same once it is written again.
#include <algorithm>
#include <memory>
#include <string>

#include "base/http/h1_parser.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using namespace weir;
using namespace weir::http;

constexpr HeadLimits kLimits{.request_line = 256, .headers = 1024, .header_count = 16};

std::string describe(const RequestHead& head) {
  std::string out;
  for (std::string_view text :
       {head.method_text, head.target, head.scheme, head.authority, head.path, head.query}) {
    out.append(text).append("\n");
  }
  out += std::to_string(head.has_query) + std::to_string(head.minor_version) +
         std::to_string(head.keep_alive) + std::to_string(head.expect_continue) +
         std::to_string(static_cast<int>(head.framing)) + std::to_string(head.content_length) +
         "\n";
  for (const FieldView& field : head.fields) {
    out.append(field.name).append(": ").append(field.value).append("\n");
  }
  return out;
}

struct Outcome {
  ParseStatus status = ParseStatus::NeedMore;
  int error = 0;
  std::string_view detail;
  std::size_t consumed = 0;
  std::string head;
};

Outcome outcome_of(ParseStatus status, const RequestParser& parser, const RequestHead& head) {
  Outcome out;
  out.status = status;
  if (status == ParseStatus::Error) {
    out.error = parser.error().status;
    out.detail = parser.error().detail;
    WEIR_CHECK(out.error >= 400 && out.error < 600 && !out.detail.empty());
  }
  if (status == ParseStatus::Done) {
    out.consumed = parser.consumed();
    out.head = describe(head);
  }
  return out;
}

void check_views(const RequestHead& head, std::string_view bytes) {
  for (std::string_view view :
       {head.method_text, head.target, head.scheme, head.authority, head.query}) {
    WEIR_CHECK(fuzz::lies_in(view, bytes));
  }
  WEIR_CHECK(fuzz::lies_in(head.path, bytes) || head.path == "/" || head.path == "*");
  for (const FieldView& field : head.fields) {
    WEIR_CHECK(fuzz::lies_in(field.name, bytes) && fuzz::lies_in(field.value, bytes));
    WEIR_CHECK(field.id == field_id(field.name));
  }
}

Outcome parse_whole(std::string_view message) {
  RequestParser parser(kLimits);
  RequestHead head;
  const ParseStatus status = parser.parse(message, head);
  if (status == ParseStatus::Done) {
    check_views(head, message.substr(0, parser.consumed()));
    WEIR_CHECK(message.substr(0, parser.consumed()).ends_with("\r\n\r\n"));
  }
  return outcome_of(status, parser, head);
}

// Each longer prefix stands in a block of its own size, so that a read past it is seen.
Outcome parse_in_pieces(std::string_view message, std::uint32_t seed) {
  RequestParser parser(kLimits);
  RequestHead head;
  fuzz::Cuts cuts(seed);
  ParseStatus status = ParseStatus::NeedMore;
  std::unique_ptr<char[]> before;
  for (std::size_t end = 0; end < message.size() && status == ParseStatus::NeedMore;) {
    end = std::min(message.size(), end + cuts.next());
    auto block = std::make_unique<char[]>(end);
    std::ranges::copy(message.substr(0, end), block.get());
    status = parser.parse({block.get(), end}, head);
    before = std::move(block);
  }
  return outcome_of(status, parser, head);
}

void check_rewritten(std::string_view message, const Outcome& whole) {
  RequestParser parser(kLimits);
  RequestHead head;
  parser.parse(message, head);
  std::string again(head.method_text);
  again.append(" ").append(head.target).append(head.minor_version == 0 ? " HTTP/1.0" : " HTTP/1.1");
  again += "\r\n";
  for (const FieldView& field : head.fields) {
    again.append(field.name).append(":").append(field.value).append("\r\n");
  }
  again += "\r\n";
  const Outcome second = parse_whole(again);
  WEIR_CHECK(second.status == ParseStatus::Done && second.head == whole.head);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [seed, message] = fuzz::split_input(data, size);
  const Outcome whole = parse_whole(message);
  const Outcome pieces = parse_in_pieces(message, seed);
  WEIR_CHECK(pieces.status == whole.status && pieces.error == whole.error);
  WEIR_CHECK(pieces.detail == whole.detail && pieces.consumed == whole.consumed);
  WEIR_CHECK(pieces.head == whole.head);
  if (whole.status == ParseStatus::Done) check_rewritten(message, whole);
  return 0;
}
