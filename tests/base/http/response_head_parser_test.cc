// Response heads line by line: framing and refusals.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/http/h1_parser.h"

namespace weir::http {
namespace {

struct Outcome {
  bool complete = false;
  std::string error;
};

// Feeds the text's lines, each with its LF, until the head is complete or refused.
Outcome feed(ResponseHeadParser& parser, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.size(), text.find('\n') + 1);
    const auto result = parser.feed_line(text.substr(0, end == 0 ? text.size() : end));
    if (!result) return {false, result.error().message};
    if (*result) return {true, ""};
    text.remove_prefix(end);
  }
  return {};
}

TEST(ResponseHeadParser, Framing) {
  // RFC 9112 6.3 decides how the body ends.
  struct Row {
    std::string_view text;
    bool to_head;
    Framing framing;
    std::uint64_t length;
  };
  const Row rows[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, Framing::Length, 5},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, Framing::None, 0},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", false, Framing::Chunked, 0},
      {"HTTP/1.1 200 OK\r\n\r\n", false, Framing::UntilClose, 0},
      {"HTTP/1.0 200 OK\r\n\r\n", false, Framing::UntilClose, 0},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, Framing::None, 5},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true, Framing::None, 0},
      {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", false, Framing::None, 5},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, Framing::None, 5},
      {"HTTP/1.1 100 Continue\r\n\r\n", false, Framing::None, 0},
      {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", false, Framing::None, 0},
      {"HTTP/1.1 101 Switching Protocols\r\n\r\n", false, Framing::None, 0},
      {"HTTP/1.1 999 Odd\r\n\r\n", false, Framing::UntilClose, 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    ResponseHeadParser parser;
    parser.reset(row.to_head);
    const Outcome outcome = feed(parser, row.text);
    EXPECT_TRUE(outcome.complete) << outcome.error;
    EXPECT_EQ(parser.head().framing, row.framing);
    EXPECT_EQ(parser.head().content_length, row.length);
  }
}

TEST(ResponseHeadParser, Fields) {
  // Status, reason, version and fields are kept as they came.
  ResponseHeadParser parser;
  parser.reset(false);
  ASSERT_TRUE(feed(parser,
                   "HTTP/1.0 404 Not  F\xc3\xb6und \r\nX: a\t \r\nSet-Cookie: a\r\n"
                   "set-cookie:b\r\nEmpty:\r\n\r\n")
                  .complete);
  const ResponseHead& head = parser.head();
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "Not  F\xc3\xb6und ");
  EXPECT_EQ(head.minor_version, 0);
  ASSERT_EQ(head.fields.size(), 4U);
  EXPECT_EQ(head.fields[0].value, "a");
  EXPECT_EQ(head.fields[2].name, "set-cookie");
  EXPECT_EQ(head.fields.joined(FieldId::SetCookie), "a, b");
  EXPECT_EQ(head.fields[3].value, "");
}

TEST(ResponseHeadParser, StatusLineWithoutReason) {
  // The SP before an empty reason may be missing.
  for (std::string_view line : {"HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 \r\n\r\n"}) {
    ResponseHeadParser parser;
    parser.reset(false);
    EXPECT_TRUE(feed(parser, line).complete);
    EXPECT_EQ(parser.head().status, 200);
    EXPECT_EQ(parser.head().reason, "");
  }
}

TEST(ResponseHeadParser, Faults) {
  // A fault in syntax or framing is an error that says which.
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string nul(1, '\0');
  struct Row {
    std::string text;
    std::string_view why;
  };
  const Row rows[] = {
      {"HTTP/2 200\r\n", "bad status line"},
      {"HTTP/2.0 200 OK\r\n", "bad status line"},
      {"http/1.1 200 OK\r\n", "bad status line"},
      {"HTTP/1.1  200 OK\r\n", "bad status code"},
      {"HTTP/1.1 20 OK\r\n", "bad status code"},
      {"HTTP/1.1 099 OK\r\n", "bad status code"},
      {"HTTP/1.1 2000 OK\r\n", "bad status line"},
      {"HTTP/1.1 +20 OK\r\n", "bad status code"},
      {"HTTP/1.1 200OK\r\n", "bad status line"},
      {"ICY 200 OK\r\n", "bad status line"},
      {"hello\r\n", "bad status line"},
      {"\r\n", "bad status line"},
      {"HTTP/1.1 200 OK\n", "line without CRLF"},
      {"HTTP/1.1 200 O\rK\r\n", "control byte"},
      {ok + "X: a\n\r\n", "line without CRLF"},
      {ok + "X: a\r\r\n", "control byte"},
      {ok + "X: a\rb\r\n", "control byte"},
      {ok + "X: a" + nul + "b\r\n", "control byte"},
      {ok + "X: \x01\r\n", "control byte"},
      {ok + "X: a\r\n b\r\n", "folded line"},
      {ok + "\tX: a\r\n", "folded line"},
      {ok + "no colon\r\n", "bad field name"},
      {ok + ": a\r\n", "bad field name"},
      {ok + "X : a\r\n", "bad field name"},
      {ok + "Content-Length : 5\r\n", "bad field name"},
      {ok + "X\xff: a\r\n", "bad field name"},
      {ok + "Content-Length: 5\r\nContent-Length: 5\r\n", "repeated Content-Length"},
      {ok + "Content-Length: 5, 7\r\n", "bad Content-Length"},
      {ok + "Content-Length: 5abc\r\n", "bad Content-Length"},
      {ok + "Content-Length: +5\r\n", "bad Content-Length"},
      {ok + "Content-Length: -5\r\n", "bad Content-Length"},
      {ok + "Content-Length:\r\n", "bad Content-Length"},
      {ok + "Content-Length: 18446744073709551621\r\n", "bad Content-Length"},
      {ok + "Transfer-Encoding: gzip\r\n", "unknown Transfer-Encoding"},
      {ok + "Transfer-Encoding: gzip, chunked\r\n", "unknown Transfer-Encoding"},
      {ok + "Transfer-Encoding: chunked, chunked\r\n", "unknown Transfer-Encoding"},
      {ok + "Transfer-Encoding: chunked,\r\n", "unknown Transfer-Encoding"},
      {ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
       "repeated Transfer-Encoding"},
      {ok + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
       "both Content-Length and Transfer-Encoding"},
      {ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
       "both Content-Length and Transfer-Encoding"},
      {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding in HTTP/1.0"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::PrintToString(row.text));
    ResponseHeadParser parser;
    parser.reset(false);
    EXPECT_EQ(feed(parser, row.text).error, "response head: " + std::string(row.why));
  }
}

TEST(ResponseHeadParser, SizeAndEnd) {
  // The whole head is bounded, and a complete one takes no further line until the reset.
  ResponseHeadParser parser;
  parser.reset(false, 40);
  const auto long_line = parser.feed_line("HTTP/1.1 200 " + std::string(30, 'a') + "\r\n");
  ASSERT_FALSE(long_line);
  EXPECT_EQ(long_line.error().code, ErrorCode::TooLarge);

  parser.reset(false);
  ASSERT_TRUE(feed(parser, "HTTP/1.1 100 Continue\r\n\r\n").complete);
  EXPECT_FALSE(parser.feed_line("HTTP/1.1 200 OK\r\n"));
  parser.reset(false);
  ASSERT_TRUE(feed(parser, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n").complete);
  EXPECT_EQ(parser.head().status, 200);
}

}  // namespace
}  // namespace weir::http
