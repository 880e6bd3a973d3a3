// Well-formed requests: what the parser makes of them.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/http/h1_parser.h"
#include "tests/base/http/parse_support.h"

namespace weir::http {
namespace {

using test::expect_same_in_pieces;
using test::parse_request;

// One head, kept with its bytes.
struct Read {
  std::string bytes;
  RequestHead head;
  RequestParser parser{HeadLimits{}};

  explicit Read(std::string text) : bytes(std::move(text)) {
    EXPECT_EQ(parser.parse(bytes, head), ParseStatus::Done)
        << parser.error().detail << " in " << bytes;
  }
};

std::string get(std::string_view target, std::string_view lines = "",
                std::string_view version = "1.1") {
  return "GET " + std::string(target) + " HTTP/" + std::string(version) +
         "\r\nHost: probe.test\r\n" + std::string(lines) + "\r\n";
}

TEST(RequestParser, Targets) {
  // Each form is split into its parts without changing a byte.
  struct Row {
    std::string_view method, target, scheme, authority, path, query;
    bool has_query;
  };
  const Row rows[] = {
      {"GET", "/", "", "probe.test", "/", "", false},
      {"GET", "/a/../b//c%2f;d?x=1&y=%20?z", "", "probe.test", "/a/../b//c%2f;d", "x=1&y=%20?z",
       true},
      {"GET", "//evil.test/x", "", "probe.test", "//evil.test/x", "", false},
      {"GET", "/?", "", "probe.test", "/", "", true},
      {"GET", "/{a}|b^c`d\"<>\\", "", "probe.test", "/{a}|b^c`d\"<>\\", "", false},
      {"GET", "http://a.test", "http", "a.test", "/", "", false},
      {"GET", "http://a.test?q", "http", "a.test", "/", "q", true},
      {"GET", "HTTPS://a.test:8443/x?y", "HTTPS", "a.test:8443", "/x", "y", true},
      {"GET", "http://[::1]:80/x@y:z", "http", "[::1]:80", "/x@y:z", "", false},
      {"OPTIONS", "*", "", "probe.test", "*", "", false},
      {"OPTIONS", "http://a.test", "http", "a.test", "*", "", false},
      {"OPTIONS", "http://a.test/", "http", "a.test", "/", "", false},
      {"OPTIONS", "http://a.test?q", "http", "a.test", "/", "q", true},
      {"OPTIONS", "/x", "", "probe.test", "/x", "", false},
      {"CONNECT", "a.test:443", "", "a.test:443", "", "", false},
      {"TRACE", "/", "", "probe.test", "/", "", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.target);
    const Read read(std::string(row.method) + " " + std::string(row.target) +
                    " HTTP/1.1\r\nHost: probe.test\r\n\r\n");
    EXPECT_EQ(read.head.method_text, row.method);
    EXPECT_EQ(read.head.target, row.target);
    EXPECT_EQ(read.head.scheme, row.scheme);
    EXPECT_EQ(read.head.authority, row.authority);
    EXPECT_EQ(read.head.path, row.path);
    EXPECT_EQ(read.head.query, row.query);
    EXPECT_EQ(read.head.has_query, row.has_query);
    expect_same_in_pieces(read.bytes);
  }
}

TEST(RequestParser, Methods) {
  // Methods compare by case; unknown tokens are passed as Other.
  struct Row {
    std::string_view text;
    Method method;
  };
  const Row rows[] = {
      {"GET", Method::Get},
      {"HEAD", Method::Head},
      {"POST", Method::Post},
      {"PUT", Method::Put},
      {"DELETE", Method::Delete},
      {"OPTIONS", Method::Options},
      {"PATCH", Method::Patch},
      {"QUERY", Method::Query},
      {"TRACE", Method::Trace},
      {"CONNECT", Method::Connect},
      {"PURGE", Method::Purge},
      {"get", Method::Other},
      {"PROPFIND", Method::Other},
      {"M-SEARCH", Method::Other},
      {"G", Method::Other},
      {"GETS", Method::Other},
      {"!#$%&'*+-.^_`|~9", Method::Other},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(parse_method(row.text), row.method) << row.text;
    if (row.method == Method::Connect) continue;
    const Read read(std::string(row.text) + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(read.head.method, row.method) << row.text;
    expect_same_in_pieces(read.bytes);
  }
  EXPECT_TRUE(is_safe(Method::Query));
  EXPECT_FALSE(is_safe(Method::Put));
  EXPECT_TRUE(is_idempotent(Method::Put));
  EXPECT_FALSE(is_idempotent(Method::Post));
  EXPECT_FALSE(is_idempotent(Method::Other));
}

TEST(RequestParser, Framing) {
  // Body framing follows from the two framing fields alone.
  struct Row {
    std::string_view lines;
    Framing framing;
    std::uint64_t length;
  };
  const Row rows[] = {
      {"", Framing::None, 0},
      {"Content-Length: 0\r\n", Framing::None, 0},
      {"Content-Length: 5\r\n", Framing::Length, 5},
      {"Content-Length: 010\r\n", Framing::Length, 10},
      {"content-length:\t 5 \t\r\n", Framing::Length, 5},
      {"Content-Length: 4294967301\r\n", Framing::Length, 4294967301},
      {"Content-Length: 999999999999999999\r\n", Framing::Length, 999999999999999999},
      {"Transfer-Encoding: chunked\r\n", Framing::Chunked, 0},
      {"transfer-ENCODING:CHUNKED\r\n", Framing::Chunked, 0},
      {"Transfer-Encoding: \tchunked \r\n", Framing::Chunked, 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.lines);
    const Read read(get("/", row.lines));
    EXPECT_EQ(read.head.framing, row.framing);
    EXPECT_EQ(read.head.content_length, row.length);
    expect_same_in_pieces(read.bytes);
  }
}

TEST(RequestParser, KeepAlive) {
  // Persistence follows RFC 9112 9.3; HTTP/1.0 has to ask for it.
  struct Row {
    std::string_view version, lines;
    bool keep_alive;
  };
  const Row rows[] = {
      {"1.1", "", true},
      {"1.1", "Connection: close\r\n", false},
      {"1.1", "Connection: keep-alive\r\n", true},
      {"1.1", "Connection: X-Foo , CLOSE\r\n", false},
      {"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
      {"1.1", "Connection: upgrade, HTTP2-Settings, TE\r\n", true},
      {"1.1", "Connection: ,,\r\n", true},
      {"1.2", "", true},
      {"1.0", "", false},
      {"1.0", "Connection: Keep-Alive\r\n", true},
      {"1.0", "Connection: keep-alive, close\r\n", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.lines);
    const Read read(get("/", row.lines, row.version));
    EXPECT_EQ(read.head.keep_alive, row.keep_alive);
    EXPECT_EQ(read.head.minor_version, row.version == "1.0" ? 0 : 1);
    expect_same_in_pieces(read.bytes);
  }
}

TEST(RequestParser, Expect) {
  // 100-continue counts only where a body is to come and the client knows of it.
  struct Row {
    std::string_view version, lines;
    bool expect;
  };
  const Row rows[] = {
      {"1.1", "Expect: 100-continue\r\nContent-Length: 5\r\n", true},
      {"1.1", "Transfer-Encoding: chunked\r\nExpect: 100-Continue\r\n", true},
      {"1.1", "Expect: 100-continue\r\n", false},
      {"1.1", "Expect: 100-continue\r\nContent-Length: 0\r\n", false},
      {"1.0", "Expect: 100-continue\r\nContent-Length: 5\r\n", false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Read(get("/", row.lines, row.version)).head.expect_continue, row.expect) << row.lines;
  }
}

TEST(RequestParser, Fields) {
  // Values lose the white space around them and nothing else; order and repetitions stay.
  const Read read(get("/",
                      "X-A:  a \t b\t\r\nEmpty:\r\nBlank: \t \r\nX-A: caf\xc3\xa9\r\n"
                      "ACCEPT: text/html\r\naccept: b\r\n"));
  const auto& fields = read.head.fields;
  ASSERT_EQ(fields.size(), 7U);
  EXPECT_EQ(fields[1].name, "X-A");
  EXPECT_EQ(fields[1].value, "a \t b");
  EXPECT_EQ(fields[2].value, "");
  EXPECT_EQ(fields[3].value, "");
  EXPECT_EQ(fields[4].value, "caf\xc3\xa9");
  EXPECT_EQ(fields[5].id, FieldId::Accept);
  EXPECT_EQ(read.head.value(FieldId::Accept), "text/html");
  EXPECT_EQ(read.head.find("x-a"), &fields[1]);
  EXPECT_EQ(read.head.find("AcCept"), &fields[5]);
  EXPECT_EQ(read.head.find("x-b"), nullptr);
  EXPECT_FALSE(read.head.has(FieldId::Cookie));
  EXPECT_EQ(read.head.value(FieldId::Cookie), "");
  expect_same_in_pieces(read.bytes);
}

TEST(RequestParser, Hosts) {
  // Names, addresses and ports that a URI may have.
  for (std::string_view host : {"a", "a.b-c.test", "a_b", "127.0.0.1:8080", "[::1]", "[::1]:8080",
                                "[2001:db8::1:2]", "a:0", "a:65535", "xn--caf-dma.test", "a."}) {
    const Read read("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
    EXPECT_EQ(read.head.authority, host);
  }
  EXPECT_EQ(Read("GET / HTTP/1.0\r\n\r\n").head.authority, "");
}

TEST(RequestParser, LeadingEmptyLineAndPipelining) {
  // One CRLF before the request is passed over; what follows the head is left alone.
  const std::string first = "\r\n" + get("/1");
  const std::string both = first + get("/2");
  RequestParser parser{HeadLimits{}};
  RequestHead head;
  EXPECT_EQ(parser.parse("\r\n", head), ParseStatus::NeedMore);
  EXPECT_FALSE(parser.started());
  ASSERT_EQ(parser.parse(both, head), ParseStatus::Done);
  EXPECT_TRUE(parser.started());
  EXPECT_EQ(parser.consumed(), first.size());
  EXPECT_EQ(head.path, "/1");
  const std::string_view rest = std::string_view(both).substr(parser.consumed());
  parser.reset();
  EXPECT_FALSE(parser.started());
  ASSERT_EQ(parser.parse(rest, head), ParseStatus::Done);
  EXPECT_EQ(head.path, "/2");
  EXPECT_EQ(head.fields.size(), 1U);
}

TEST(RequestParser, ReuseForgetsTheRequestBefore) {
  // Nothing of one request is seen in the next one's head.
  const std::string first =
      "POST http://a.test/x?y HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n"
      "Expect: 100-continue\r\nCookie: a=b\r\n\r\n";
  RequestParser parser{HeadLimits{}};
  RequestHead head;
  ASSERT_EQ(parser.parse(first, head), ParseStatus::Done);
  parser.reset();
  const std::string second = get("/");
  ASSERT_EQ(parser.parse(second, head), ParseStatus::Done);
  EXPECT_EQ(test::describe(head), test::describe(Read(second).head));
  EXPECT_FALSE(head.has(FieldId::Cookie));
  EXPECT_EQ(parse_request(second).consumed, second.size());
}

TEST(RequestParser, Rebase) {
  // After its bytes have moved, a rebased head says the same of them, and points into them.
  for (const std::string& text :
       {get("/a?b", "X: y\r\n"), std::string("GET http://a.test HTTP/1.1\r\nHost: b\r\n\r\n"),
        std::string("OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n"),
        std::string("CONNECT a:1 HTTP/1.1\r\nHost: b\r\n\r\n")}) {
    Read read(text);
    const std::string before = test::describe(read.head);
    const std::string moved = read.bytes;
    read.head.rebase(read.bytes.data(), moved.data());
    read.bytes.assign(read.bytes.size(), '#');
    EXPECT_EQ(test::describe(read.head), before);
  }
}

TEST(RequestParser, MovedByTheCallerInTheMiddle) {
  // Bytes may move between two calls, whether the caller rebases the head or not.
  const std::string text = get("/a?b", "X: y\r\nZ: z\r\n");
  const std::string expected = test::describe(Read(text).head);
  for (const bool rebase : {false, true}) {
    RequestParser parser{HeadLimits{}};
    RequestHead head;
    std::string part = text.substr(0, text.size() - 6);
    ASSERT_EQ(parser.parse(part, head), ParseStatus::NeedMore);
    if (rebase) head.rebase(part.data(), text.data());
    part.assign(part.size(), '#');
    ASSERT_EQ(parser.parse(text, head), ParseStatus::Done);
    EXPECT_EQ(test::describe(head), expected);
  }
}

}  // namespace
}  // namespace weir::http
