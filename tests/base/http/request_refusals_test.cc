// The other classes of malformed requests, each with the answer that it gets.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/base/http/parse_support.h"

namespace weir::http {
namespace {

using test::expect_refused;
using test::expect_same_in_pieces;
using test::get;
using test::parse_request;
using test::post;
using test::raw;
using test::Refusal;

std::string request_line(std::string_view line) {
  return std::string(line) + "\r\nHost: probe.test\r\n\r\n";
}

TEST(RequestRefusals, LineEnds) {
  // Lines end in CRLF and nothing else.
  expect_refused({
      {"GET / HTTP/1.1\nHost: a\n\n", 400, "bad-request-line"},
      {"GET / HTTP/1.1\r\nHost: a\n\n", 400, "bare-lf"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\n", 400, "bad-header-name"},
      {get("Host: a\r\nUseless:\n\nGET /smuggled HTTP/1.1\r\n"), 400, "bare-lf"},
      {get("Host: a\r\na: b\rSmuggled: c\r\n"), 400, "bare-cr"},
      {"\r\r\r\r", 400, "bare-cr"},
      {"\n", 400, "bad-method"},
      {"GET / HTTP/1.1\r\r\n", 400, "bare-cr"},
      {"GET / HTTP/1.1\rHost: a\r\n\r\n", 400, "bare-cr"},
      {get("Host: a\r\nX: a\r\r\n"), 400, "bare-cr"},
      {get("Host: a\r\n\rZ: b\r\n"), 400, "bare-cr"},
      {get("Host: a\r\nX: a\r\n b\r\n"), 400, "folded-line"},
      {get("Host: a\r\nX: a\r\n\tb\r\n"), 400, "folded-line"},
  });
}

TEST(RequestRefusals, HeaderNames) {
  // A field name is a token, its colon follows at once.
  expect_refused({
      {get("Host: a\r\n: x\r\n"), 400, "bad-header-name"},
      {get("Host: a\r\nnocolon\r\n"), 400, "bad-header-name"},
      {get("Host: a\r\n\xef: x\r\n"), 400, "bad-header-name"},
      {get("Host: a\r\nfoo[1]: x\r\n"), 400, "bad-header-name"},
      {get("Host: a\r\nf\x01oo: x\r\n"), 400, "bad-header-name"},
      {get("Host: a\r\nfoo bar: x\r\n"), 400, "space-in-header-name"},
      {get("Host: a\r\nfoo\x7f: x\r\n"), 400, "bad-header-name"},
      {get("Host: a\r\n\"foo\": x\r\n"), 400, "bad-header-name"},
  });
}

TEST(RequestRefusals, HeaderValues) {
  // Every control byte but HTAB is refused, wherever it stands in a value.
  std::vector<Refusal> rows;
  for (int c = 0; c < 0x20; ++c) {
    if (c == '\t' || c == '\r' || c == '\n') continue;
    const char byte = static_cast<char>(c);
    rows.push_back(
        {get("Host: a\r\nX: a" + std::string(1, byte) + "b\r\n"), 400, "bad-header-value"});
    rows.push_back(
        {get("Host: a\r\nX: " + std::string(40, 'a') + byte + "\r\n"), 400, "bad-header-value"});
  }
  rows.push_back({get("Host: a\r\nX: \x7f\r\n"), 400, "bad-header-value"});
  expect_refused(rows);
}

TEST(RequestRefusals, Hosts) {
  // Host stands once and is uri-host[:port].
  std::vector<Refusal> rows = {
      {get(""), 400, "missing-host"},
      {get("X: a\r\n"), 400, "missing-host"},
      {"GET http://a/ HTTP/1.1\r\n\r\n", 400, "missing-host"},
      {get("Host: a\r\nHost: b\r\n"), 400, "duplicate-host"},
      {get("Host: a\r\nHost: a\r\n"), 400, "duplicate-host"},
      {get("Host:\r\nHost: a\r\n"), 400, "duplicate-host"},
      {get("Host: a\r\nHost:\r\n"), 400, "duplicate-host"},
      {get("Host:\r\nHost:\r\n"), 400, "duplicate-host"},
      {"GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "duplicate-host"},
      {"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400, "duplicate-host"},
      {get(raw("Host: a\0\r\n")), 400, "bad-header-value"},
      {"GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "bad-host"},
      {"GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", 400, "bad-host"},
  };
  for (std::string_view value :
       {"a, b",  "a,b",      "a b",     "u@a", "a/b",   "a?b",       "a#b",    "a\\b",
        ":80",   "a:99999",  "a:65536", "a:",  "a:8o",  "a:80:80",   "a:-1",   "a:000080",
        "[::1",  "::1",      "[::1]x",  "[]",  "[::g]", "[1.2.3.4]", "[v1.x]", "[fe80::1%25eth0]",
        "a%20b", "http://a", "\xff",    "<a>", "[::1]:"}) {
    rows.push_back({get("Host: " + std::string(value) + "\r\n"), 400, "bad-host"});
  }
  expect_refused(rows);
}

TEST(RequestRefusals, Targets) {
  // The target is in origin-form, absolute-form of http or https, or `*` of OPTIONS.
  std::vector<Refusal> rows;
  for (std::string_view target : {"http://u@h/",
                                  "http://u:p@h/",
                                  "http://",
                                  "http:///x",
                                  "http:/a",
                                  "http:a",
                                  "https:",
                                  "h",
                                  "http://a:99999/",
                                  "http://a\\b/",
                                  "http://a%00/",
                                  "file:///etc/passwd",
                                  "gopher://a/",
                                  "@host",
                                  ":80",
                                  "host",
                                  "index.html",
                                  "*",
                                  "*/",
                                  "?a",
                                  "\"/\"",
                                  "ftp://a/",
                                  "a/b",
                                  "httpx://a/",
                                  "http://[::1/"}) {
    rows.push_back({request_line("GET " + std::string(target) + " HTTP/1.1"), 400, "bad-target"});
  }
  rows.push_back({request_line("OPTIONS ** HTTP/1.1"), 400, "bad-target"});
  rows.push_back({request_line("OPTIONS *?a HTTP/1.1"), 400, "bad-target"});
  for (std::string_view target : {"/", "/x", "a", "a:", "a:99999", "http://a:80/", "*", "u@a:80"}) {
    rows.push_back(
        {request_line("CONNECT " + std::string(target) + " HTTP/1.1"), 400, "bad-target"});
  }
  rows.push_back({request_line("GET /a#frag HTTP/1.1"), 400, "fragment-in-target"});
  rows.push_back({request_line("GET http://a/#frag HTTP/1.1"), 400, "fragment-in-target"});
  rows.push_back(
      {request_line("GET /?q=" + std::string(30, 'q') + "# HTTP/1.1"), 400, "fragment-in-target"});
  for (const std::string& target : {raw("/\x01"), raw("/a\0b"), raw("/a\tb"), raw("/\x7f"),
                                    raw("/caf\xc3\xa9"), raw("/0123456789abcdef\xff")}) {
    rows.push_back({request_line("GET " + target + " HTTP/1.1"), 400, "bad-target"});
  }
  rows.push_back({request_line("GET /a\rb HTTP/1.1"), 400, "bad-request-line"});
  rows.push_back({request_line("GET /a\nb HTTP/1.1"), 400, "bad-request-line"});
  expect_refused(rows);
}

TEST(RequestRefusals, RequestLines) {
  // One SP between the three parts, a token, a target and a version of this major number.
  expect_refused({
      {request_line("GET  / HTTP/1.1"), 400, "bad-target"},
      {request_line("GET /  HTTP/1.1"), 400, "bad-version"},
      {request_line("GET\t/ HTTP/1.1"), 400, "bad-method"},
      {request_line("GET /\tHTTP/1.1"), 400, "bad-target"},
      {request_line("GET\x0c/ HTTP/1.1"), 400, "bad-method"},
      {request_line("GET / HTTP/1.1 "), 400, "bad-request-line"},
      {request_line(" GET / HTTP/1.1"), 400, "bad-method"},
      {request_line("GE(T / HTTP/1.1"), 400, "bad-method"},
      {request_line("GE\xc3T / HTTP/1.1"), 400, "bad-method"},
      {request_line("GET / HTTP/1.32"), 400, "bad-request-line"},
      {request_line("GET / HTTP/2.0"), 505, "unsupported-version"},
      {request_line("GET / HTTP/3.0"), 505, "unsupported-version"},
      {request_line("GET / HTTP/0.9"), 505, "unsupported-version"},
      {request_line("GET / HTTP/2"), 400, "bad-version"},
      {request_line("GET / HTTP/1"), 400, "bad-version"},
      {request_line("GET / HTTP/1,1"), 400, "bad-version"},
      {request_line("GET / HTTP/ 1.1"), 400, "bad-version"},
      {request_line("GET / http/1.1"), 400, "bad-version"},
      {request_line("GET / Http/1.1"), 400, "bad-version"},
      {request_line("GET / XTTP/1.1"), 400, "bad-version"},
      {request_line("GET / HTTP/4294967297.1"), 400, "bad-version"},
      {request_line("GET / HTTP/01.1"), 400, "bad-version"},
      {request_line("GET /a b HTTP/1.1"), 400, "bad-version"},
      {"GET /\r\n", 400, "bad-request-line"},
      {"GET /\r\n\r\n", 400, "bad-request-line"},
      {"GET /\nHTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad-request-line"},
      {"GET\r\n\r\n", 400, "bad-method"},
      {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad-method"},
      {"\r\nINVALID!!!\r\n", 400, "bad-method"},
      {"\x16\x03\x01\x02", 400, "bad-method"},
      {request_line(std::string(33, 'M') + " / HTTP/1.1"), 501, "method-too-long"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "bad-target"},
  });
}

TEST(RequestRefusals, Expectations) {
  // Only 100-continue can be met.
  expect_refused({
      {post("Expect: x 100-continue\r\n"), 417, "unknown-expectation"},
      {post("Expect: 200-ok\r\n"), 417, "unknown-expectation"},
      {post("Expect: \r\n"), 417, "unknown-expectation"},
      {post("Expect: 100-continue, 100-continue\r\n"), 417, "unknown-expectation"},
  });
}

TEST(RequestRefusals, ConnectionNamesProtectedField) {
  // Nobody may have a proxy drop what frames, routes or keys a message.
  expect_refused({
      {post("Connection: close, Host, Content-Length, X-Forwarded-For, Cache-Control\r\n"), 400,
       "connection-names-protected-field"},
      {post("Connection: x-foo\r\nConnection: cookie\r\n"), 400,
       "connection-names-protected-field"},
      {post("Connection: Transfer-Encoding\r\n"), 400, "connection-names-protected-field"},
      {post("Connection: authorization\r\n"), 400, "connection-names-protected-field"},
      {post("Connection: X-Forwarded-Prefix\r\n"), 400, "connection-names-protected-field"},
      {post("Connection: a b\r\n"), 400, "bad-connection"},
      {post("Connection: \"close\"\r\n"), 400, "bad-connection"},
      {post("Connection: " + std::string(1025, 'a') + "\r\n"), 431, "connection-too-long"},
      {post("Connection: a" + std::string(800, ',') + "b\r\nConnection:" + std::string(800, ',') +
            "c\r\n"),
       431, "connection-too-long"},
  });
}

TEST(RequestRefusals, Limits) {
  // A section of exactly its limit is read, one byte more is refused, and before its end has come.
  const HeadLimits limits{.request_line = 64, .headers = 128, .header_count = 4};
  const auto line_of = [](std::size_t size) {
    return "GET /" + std::string(size - 14, 'a') + " HTTP/1.1";
  };
  const auto fields_of = [](std::size_t size) {
    return "Host: a\r\nX: " + std::string(size - 14, 'a') + "\r\n";
  };
  struct Row {
    std::string bytes;
    ParseStatus status;
    int code;
    std::string_view detail;
  };
  const Row rows[] = {
      {line_of(64) + "\r\nHost: a\r\n\r\n", ParseStatus::Done, 400, ""},
      {line_of(65) + "\r\nHost: a\r\n\r\n", ParseStatus::Error, 414, "request-line-too-long"},
      {"GET /" + std::string(60, 'a'), ParseStatus::Error, 414, "request-line-too-long"},
      {"GET /" + std::string(59, 'a') + "\r\n", ParseStatus::Error, 414, "request-line-too-long"},
      {"GET /" + std::string(58, 'a') + " \r\n", ParseStatus::Error, 400, "bad-version"},
      {"GET /" + std::string(58, 'a') + "\r\n", ParseStatus::Error, 400, "bad-request-line"},
      {"GET /" + std::string(80, '\xff'), ParseStatus::Error, 400, "bad-target"},
      {"GET /" + std::string(80, 'a') + "\xff", ParseStatus::Error, 414, "request-line-too-long"},
      {line_of(30) + "\r\n" + fields_of(128) + "\r\n", ParseStatus::Done, 400, ""},
      {line_of(30) + "\r\n" + fields_of(129) + "\r\n", ParseStatus::Error, 431, "headers-too-long"},
      {line_of(30) + "\r\nHost: a\r\nX: " + std::string(117, 'a'), ParseStatus::Error, 431,
       "headers-too-long"},
      {line_of(30) + "\r\n" + std::string(129, 'a'), ParseStatus::Error, 431, "headers-too-long"},
      {line_of(30) + "\r\n" + fields_of(128) + "Y", ParseStatus::Error, 431, "headers-too-long"},
      {line_of(30) + "\r\nHost: a\r\na:\r\nb:\r\nc:\r\n\r\n", ParseStatus::Done, 400, ""},
      {line_of(30) + "\r\nHost: a\r\na:\r\nb:\r\nc:\r\nd", ParseStatus::Error, 431,
       "too-many-headers"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.bytes);
    const test::Parsed parsed = parse_request(row.bytes, {}, limits);
    EXPECT_EQ(parsed.status, row.status) << parsed;
    EXPECT_EQ(parsed.error.status, row.code);
    EXPECT_EQ(parsed.error.detail, row.detail);
    expect_same_in_pieces(row.bytes, limits);
  }
}

TEST(RequestRefusals, TheFirstBadByteIsEnough) {
  // An error is reported as soon as the byte that makes it has come.
  const std::string_view rows[] = {
      "(",
      "GET (",
      "GET *",
      "GET /\x01",
      "GET / h",
      "GET / HTTP/1.1\r\nHost: a\r\n ",
      "GET / HTTP/1.1\r\nHost: a\r\nX: \x01",
      "GET / HTTP/1.1\r\nHost: a\r\nX ",
      "GET / HTTP/2.0",
  };
  for (std::string_view bytes : rows) {
    SCOPED_TRACE(bytes);
    const std::string_view but_one = bytes.substr(0, bytes.size() - 1);
    EXPECT_EQ(parse_request(but_one).status, ParseStatus::NeedMore);
    EXPECT_EQ(parse_request(bytes).status, ParseStatus::Error);
  }
}

}  // namespace
}  // namespace weir::http
