#include "tests/base/http/parse_support.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <ostream>

namespace weir::http::test {

std::string describe(const RequestHead& head) {
  std::string out;
  const auto line = [&out](std::string_view name, std::string_view value) {
    out.append(name).append("=").append(value).append("\n");
  };
  line("method", head.method_text);
  line("target", head.target);
  line("scheme", head.scheme);
  line("authority", head.authority);
  line("path", head.path);
  if (head.has_query) line("query", head.query);
  line("version", std::to_string(head.minor_version));
  line("keep-alive", head.keep_alive ? "yes" : "no");
  line("expect", head.expect_continue ? "yes" : "no");
  line("framing", std::to_string(static_cast<int>(head.framing)));
  line("length", std::to_string(head.content_length));
  for (const FieldView& field : head.fields) line(field.name, field.value);
  return out;
}

bool operator==(const Parsed& a, const Parsed& b) {
  return a.status == b.status && a.error.status == b.error.status &&
         a.error.detail == b.error.detail &&
         (a.status != ParseStatus::Done || (a.consumed == b.consumed && a.head == b.head));
}

std::ostream& operator<<(std::ostream& out, const Parsed& parsed) {
  constexpr std::string_view kNames[] = {"NeedMore", "Done", "Error"};
  out << kNames[static_cast<std::size_t>(parsed.status)];
  if (parsed.status == ParseStatus::Error) {
    out << ' ' << parsed.error.status << ' ' << parsed.error.detail;
  }
  return out << ' ' << parsed.consumed << '\n' << parsed.head;
}

Parsed parse_request(std::string_view bytes, const std::vector<std::size_t>& cuts,
                     const HeadLimits& limits) {
  RequestParser parser(limits);
  RequestHead head;
  std::vector<std::size_t> ends = cuts;
  ends.push_back(bytes.size());
  Parsed parsed;
  std::unique_ptr<std::string> before;  // kept till its successor exists, so that no address recurs
  for (const std::size_t end : ends) {
    auto data = std::make_unique<std::string>(bytes.substr(0, end));
    parsed.status = parser.parse(*data, head);
    if (parsed.status == ParseStatus::Done) parsed.head = describe(head);
    before = std::move(data);
    if (parsed.status != ParseStatus::NeedMore) break;
  }
  if (parsed.status == ParseStatus::Error) parsed.error = parser.error();
  parsed.consumed = parser.consumed();
  return parsed;
}

std::vector<std::size_t> every_byte(std::string_view bytes) {
  std::vector<std::size_t> cuts(bytes.size());
  std::iota(cuts.begin(), cuts.end(), std::size_t{0});
  return cuts;
}

void expect_same_in_pieces(std::string_view bytes, const HeadLimits& limits) {
  const Parsed whole = parse_request(bytes, {}, limits);
  EXPECT_EQ(parse_request(bytes, every_byte(bytes), limits), whole) << "byte by byte";
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    ASSERT_EQ(parse_request(bytes, {cut}, limits), whole) << "cut at " << cut;
  }
}

void expect_refused(const std::vector<Refusal>& rows) {
  for (const Refusal& row : rows) {
    // Escaped: the offending row's bytes may not be printable.
    SCOPED_TRACE(testing::PrintToString(row.bytes.substr(0, 200)));
    const Parsed parsed = parse_request(row.bytes);
    ASSERT_EQ(parsed.status, ParseStatus::Error);
    EXPECT_EQ(parsed.error.status, row.status);
    EXPECT_EQ(parsed.error.detail, row.detail);
    expect_same_in_pieces(row.bytes);
  }
}

std::string post(std::string_view lines) {
  return "POST / HTTP/1.1\r\nHost: probe.test\r\n" + std::string(lines) + "\r\n";
}

std::string get(std::string_view lines) {
  return "GET / HTTP/1.1\r\n" + std::string(lines) + "\r\n";
}

}  // namespace weir::http::test
