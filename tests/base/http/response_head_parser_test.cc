// Response heads line by line: framing and refusals.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

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

TEST(ResponseHeadParser, LinesThatAllEndInLf) {
  // The same head, whatever its lines end in, as long as all end alike.
  for (const std::string_view end : {"\r\n", "\n"}) {
    std::string text;
    for (const std::string_view line : {"HTTP/1.1 200 OK", "Content-Length: 5", "X: a ", ""}) {
      text.append(line).append(end);
    }
    ResponseHeadParser parser;
    parser.reset(false);
    const Outcome outcome = feed(parser, text);
    EXPECT_TRUE(outcome.complete) << outcome.error;
    EXPECT_EQ(parser.head().reason, "OK");
    EXPECT_EQ(parser.head().content_length, 5U);
    EXPECT_EQ(parser.head().fields[1].value, "a");
    // The next head is one of its own.
    parser.reset(false);
    EXPECT_TRUE(feed(parser, "HTTP/1.1 204 None\r\n\r\n").complete);
  }
}

constexpr const char* kOk = "HTTP/1.1 200 OK\r\n";

struct Fault {
  std::string text;
  std::string_view why;
};

void expect_refused(const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    SCOPED_TRACE(testing::PrintToString(fault.text));
    ResponseHeadParser parser;
    parser.reset(false);
    EXPECT_EQ(feed(parser, fault.text).error, "response head: " + std::string(fault.why));
  }
}

TEST(ResponseHeadParser, Faults) {
  // A fault in syntax is an error that says which.
  const std::string ok = kOk;
  const std::string nul(1, '\0');
  const std::string_view mixed = "lines that end in CRLF and lines that end in LF";
  expect_refused({
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
      {"HTTP/1.1 200 " + std::string(60 * 1024, 'a') + "\r\n", "status line too long"},
      {"hello\r\n", "bad status line"},
      {"\r\n", "bad status line"},
      {"HTTP/1.1 200 O\rK\r\n", "control byte"},
      {"HTTP/1.1 200 OK", "line without its end"},
      {ok + "X: a\n\r\n", mixed},
      {ok + "\n", mixed},
      {"HTTP/1.1 200 OK\nX: a\r\n\n", mixed},
      {"HTTP/1.1 200 OK\nX: a\n\r\n", mixed},
      {"HTTP/1.1 200 OK\nX: a\rb\n\n", "control byte"},
      {ok + "X: a\r\r\n", "control byte"},
      {ok + "X: a\rb\r\n", "control byte"},
      {ok + "X: a" + nul + "b\r\n", "control byte"},
      {ok + "X: \x01\r\n", "control byte"},
      {ok + "X: a\r\n b\r\n", "folded line"},
      {ok + "\tX: a\r\n", "folded line"},
      {ok + "no colon\r\n", "bad field name"},
      {ok + "Connection: " + std::string(600, 'a') + "\r\nConnection: " + std::string(600, 'b') +
           "\r\n",
       "Connection too long"},
      {ok + ": a\r\n", "bad field name"},
      {ok + "X : a\r\n", "bad field name"},
      {ok + "Content-Length : 5\r\n", "bad field name"},
      {ok + "X\xff: a\r\n", "bad field name"},
  });
}

TEST(ResponseHeadParser, FramingFaults) {
  // So is whatever leaves a doubt where the body ends.
  const std::string ok = kOk;
  const std::string_view twice =
      "Transfer-Encoding: chunked twice (the app's server adds it by itself: take it out of the "
      "fields that the app sets)";
  expect_refused({
      {ok + "Content-Length: 5\r\nContent-Length: 5\r\n", "repeated Content-Length"},
      {ok + "Content-Length: 5, 7\r\n", "bad Content-Length"},
      {ok + "Content-Length: 5abc\r\n", "bad Content-Length"},
      {ok + "Content-Length: +5\r\n", "bad Content-Length"},
      {ok + "Content-Length: -5\r\n", "bad Content-Length"},
      {ok + "Content-Length:\r\n", "bad Content-Length"},
      {ok + "Content-Length: 18446744073709551621\r\n", "bad Content-Length"},
      {ok + "Transfer-Encoding: gzip\r\n", "unknown Transfer-Encoding"},
      {ok + "Transfer-Encoding: gzip, chunked\r\n", "unknown Transfer-Encoding"},
      {ok + "Transfer-Encoding: chunked, chunked\r\n", twice},
      {ok + "Transfer-Encoding: chunked,Chunked , chunked\r\n", twice},
      {ok + "Transfer-Encoding: chunked, gzip, chunked\r\n", "unknown Transfer-Encoding"},
      {ok + "Transfer-Encoding: chunked,\r\n", "unknown Transfer-Encoding"},
      {ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", twice},
      {ok + "Transfer-Encoding: chunked\r\ntransfer-encoding: Chunked\r\n", twice},
      {ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n",
       "repeated Transfer-Encoding"},
      {ok + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
       "both Content-Length and Transfer-Encoding"},
      {ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
       "both Content-Length and Transfer-Encoding"},
      {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding in HTTP/1.0"},
  });
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
