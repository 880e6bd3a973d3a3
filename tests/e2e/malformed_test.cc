// Requests that a trusted proxy must refuse: 400 (or the status that says it better), the end of
// the connection, and nothing that the app would take for a request.
#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

using testing::AnyOf;
using testing::Contains;

constexpr std::string_view kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n";

struct Row {
  std::string name;
  std::string bytes;
  std::vector<int> statuses = {400};
};

std::string post(const std::string& fields, const std::string& body = {}) {
  return "POST /p HTTP/1.1\r\nHost: app.test\r\n" + fields + "\r\n" + body;
}

std::string chunked(const std::string& body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

class Malformed : public E2e {
 protected:
  void SetUp() override {
    origin_.otherwise([](const Request& request) { return cacheable("app " + request.target); });
    start(kCacheAll);
  }

  // Each row: an error of an allowed status, then the end, and no request at the app.
  void expect_refused(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      SCOPED_TRACE(row.name);
      const int before = origin_.hits();
      try {
        refuse_one(row);
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
      EXPECT_EQ(origin_.hits(), before) << "reached the app";
    }
    EXPECT_EQ(get("/alive").status, 200);
    EXPECT_EQ(origin_.hits("/smuggled"), 0);
  }

 private:
  void refuse_one(const Row& row) {
    Client one = client();
    one.send(row.bytes);
    const Response response = one.read();
    EXPECT_THAT(row.statuses, Contains(response.status));
    EXPECT_LT(response.body.size(), 512U);
    EXPECT_NE(response.fields.joined("Cache-Status") + response.body, "");
    EXPECT_TRUE(response.complete);
    EXPECT_THAT(response.value("Connection"), testing::StrCaseEq("close"));
    EXPECT_TRUE(one.closed());
  }
};

TEST_F(Malformed, ConflictingFraming) {
  // No message may have two readings of where it ends.
  const std::string s(kSmuggled);
  expect_refused({
      {"CL.TE", post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nG")},
      {"TE.CL", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "5c\r\n" + s)},
      {"two lengths", post("Content-Length: 0\r\nContent-Length: 31\r\n", s)},
      {"two equal lengths", post("Content-Length: 4\r\nContent-Length: 4\r\n", "body")},
      {"empty then length", post("Content-Length: \r\nContent-Length: 42\r\n", s)},
      {"list of equals", post("Content-Length: 5, 5\r\n", "hello")},
      {"list", post("Content-Length: 5, 0\r\n", "hello")},
      {"TE twice",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
      {"chunked, identity",
       post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
       {400, 501}},
      {"TE with HTTP/1.0",
       "POST /p HTTP/1.0\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
  });
}

TEST_F(Malformed, ContentLengthIsDigitsOnly) {
  // 1*DIGIT in decimal and in range, nothing else.
  std::vector<Row> rows;
  for (const char* value : {"+5", "-5", "0x5", "0_5", "5.0", "5e0", "5Z", "\"5\"",
                            ("\x0b"
                             "5"),
                            ("\xa0"
                             "5"),
                            "\xef\xbc\x95", "", "5 5", "18446744073709551621",
                            "9223372036854775808", "99999999999999999999999999"})
    rows.push_back({std::string("length ") + value,
                    post("Content-Length: " + std::string(value) + "\r\n", "hello"),
                    {400, 413}});
  expect_refused(rows);
}

TEST_F(Malformed, TransferEncodingIsChunkedOnly) {
  // One coding, spelt one way; what is unknown is 501.
  std::vector<Row> rows;
  for (const char* value : {"identity", "xchunked", "chunk", "blegh", "\"chunked\"", "chunked;q=1",
                            "\x0b"
                            "chunked",
                            "chunked\x0c",
                            "\xa0"
                            "chunked",
                            "chunked\x85", "", "gzip", "gzip, chunked",
                            "\xff"
                            "chunked\xff"})
    rows.push_back({std::string("coding ") + value,
                    post("Transfer-Encoding: " + std::string(value) + "\r\n", "0\r\n\r\n"),
                    {400, 501}});
  rows.push_back({"NUL", post(std::string("Transfer-Encoding: chunked\0\r\n", 29), "0\r\n\r\n")});
  rows.push_back({"CR", post("Transfer-Encoding: chunked\r\r\n", "0\r\n\r\n")});
  for (const char* name :
       {"Transfer-Encoding ", "Transfer-Encoding\t", "Transfer-Encoding\x85", "Transfer Encoding",
        "Transfer\\Encoding", "Transfer-\r\nEncoding", " Transfer-Encoding", "\tTransfer-Encoding"})
    rows.push_back(
        {std::string("name ") + name, post(std::string(name) + ": chunked\r\n", "0\r\n\r\n")});
  expect_refused(rows);
}

TEST_F(Malformed, HiddenContentLength) {
  // Every way to hide a length from one of two readers.
  std::vector<Row> rows;
  const std::string s(kSmuggled);
  for (const char* line : {"Content-Length : 42\r\n", "Content-Length\t: 42\r\n",
                           " Content-Length: 42\r\n", "\tContent-Length: 42\r\n",
                           "Foo: x\nContent-Length: 42\r\n", "Foo: x\rContent-Length: 42\r\n",
                           "Content-Length:\r\n 42\r\n", "Foo: bar\r\n Content-Length: 42\r\n",
                           "Content-Length: 42\r\r\n", "Content-Length: \r42\r\n"})
    rows.push_back({line, post(line, s)});
  expect_refused(rows);
}

TEST_F(Malformed, ChunkSizes) {
  // 1*HEXDIG in range; the request is never completed at the app.
  std::vector<Row> rows;
  for (const std::string& size :
       {std::string("0x5"), std::string("+5"), std::string("-0"), std::string("0_5"),
        std::string(" 5"), std::string("5 "), std::string("5xyz"), std::string("5,5"),
        std::string(), std::string("10000000000000005"), std::string("ffffffffffffffff"),
        std::string(1000, 'f')})
    rows.push_back({"size " + size, chunked(size + "\r\nhello\r\n0\r\n\r\n")});
  rows.push_back({"garbage then request", chunked("INVALID!!!\r\n" + std::string(kSmuggled))});
  expect_refused(rows);
}

TEST_F(Malformed, ChunkLines) {
  // CRLF exactly where the grammar has it; extensions are checked and bounded.
  const std::string s(kSmuggled);
  expect_refused({
      {"bare LF after size", chunked("5\nhello\r\n0\r\n\r\n")},
      {"bare LF after data", chunked("5\r\nhello\n0\r\n\r\n")},
      {"LF in the end", chunked("0\n\r\n")},
      {"LF at the end", chunked("0\r\n\n")},
      {"XX after data", chunked("5\r\nhelloXX0\r\n\r\n")},
      {"CR X after size", chunked("5\rXhello\r\n0\r\n\r\n")},
      {"spill", chunked("5\r\nhelloab3c\r\n" + s)},
      {"LF in extension", chunked("2;\nxx\r\n0\r\n\r\n" + s)},
      {"CRs before extension", chunked("5\r\r;ABCD\r\nhello\r\n0\r\n\r\n")},
      {"CR in extension", chunked("5;a\r=b\r\nhello\r\n0\r\n\r\n")},
      {"CRs behind extension", chunked("5;a=b\r\rXhello\r\n0\r\n\r\n")},
      {"NUL in extension", chunked(std::string("5;a\0\r\nhello\r\n0\r\n\r\n", 18))},
      {"long extension", chunked("5;" + std::string(65'536, 'a') + "\r\nhello\r\n0\r\n\r\n")},
  });
}

TEST_F(Malformed, HeadLines) {
  // Lines end in CRLF, names are tokens, values hold no control bytes, nothing is folded.
  const std::string host = "Host: app.test\r\n";
  const std::string get_line = "GET /a HTTP/1.1\r\n";
  expect_refused({
      {"bare LF head", "GET /a HTTP/1.1\nHost: app.test\n\n"},
      {"bare LF in a field", get_line + host + "A: b\nC: d\r\n\r\n"},
      {"bare CR in a value", get_line + host + "a: b\rSmuggled: c\r\n\r\n"},
      {"CRCRLF", get_line + host + "X: a\r\r\n\r\n"},
      {"CR before a name", get_line + host + "\rZ: b\r\n\r\n"},
      {"folded", get_line + host + "X: a\r\n b\r\n\r\n"},
      {"white space before the first field", get_line + "\t" + host + "\r\n"},
      {"space before the first field", get_line + " X: a\r\n" + host + "\r\n"},
      {"empty name", get_line + host + ": x\r\n\r\n"},
      {"no colon", get_line + host + "nonsense\r\n\r\n"},
      {"8-bit name", get_line + host + "\xef: x\r\n\r\n"},
      {"bracket in name", get_line + host + "foo[1]: x\r\n\r\n"},
      {"CTL in name", get_line + host + "a\x01: x\r\n\r\n"},
      {"space in name", get_line + host + "a b: x\r\n\r\n"},
      {"NUL in value", get_line + host + std::string("a: b\0c\r\n\r\n", 10)},
      {"CTL in value", get_line + host + "a: \x01\r\n\r\n"},
      {"BEL in value", get_line + host + "a: \x07\r\n\r\n"},
      {"DEL in value", get_line + host + "a: \x7f\r\n\r\n"},
      {"flood of empty lines", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n" + get_line + host + "\r\n"},
  });
}

TEST_F(Malformed, Hosts) {
  // Exactly one Host, and it is uri-host[:port].
  std::vector<Row> rows = {
      {"none", "GET /a HTTP/1.1\r\n\r\n"},
      {"two", "GET /a HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n"},
      {"two equal", "GET /a HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n\r\n"},
      {"NUL", std::string("GET /a HTTP/1.1\r\nHost: a\0b\r\n\r\n", 30)},
  };
  for (const char* host :
       {"a, b", "a b", "u@a", "a/b", ":99999", "a:99999", "a:b", "a?b", "a#b", "[::1"})
    rows.push_back({host, "GET /a HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"});
  expect_refused(rows);
}

TEST_F(Malformed, Targets) {
  // origin-form, or absolute-form of http(s); `*` only for OPTIONS.
  std::vector<Row> rows;
  for (const std::string& target :
       {std::string("http://u@h/"), std::string("file:///etc/passwd"), std::string("gopher://h/"),
        std::string("@evil.test/"), std::string(":80/"), std::string("a"), std::string("*"),
        std::string("/a#frag"), std::string("/\x01"), std::string("/caf\xc3\xa9"),
        std::string("/a\0b", 4), std::string("/a\rb"), std::string("/a\x7f"),
        std::string("http://")})
    rows.push_back({target, "GET " + target + " HTTP/1.1\r\nHost: app.test\r\n\r\n"});
  expect_refused(rows);
}

TEST_F(Malformed, RequestLines) {
  // method SP target SP HTTP/1.x, once each.
  const std::string tail = "\r\nHost: app.test\r\n\r\n";
  expect_refused({
      {"two spaces", "GET  /a HTTP/1.1" + tail},
      {"TAB", "GET\t/a\tHTTP/1.1" + tail},
      {"form feed", "GET /a\x0cHTTP/1.1" + tail},
      {"trailing space", "GET /a HTTP/1.1 " + tail},
      {"leading space", " GET /a HTTP/1.1" + tail},
      {"bad method", "GE(T /a HTTP/1.1" + tail},
      {"HTTP/1.32", "GET /a HTTP/1.32" + tail, {400, 505}},
      {"HTTP/2.0", "GET /a HTTP/2.0" + tail, {400, 505}},
      {"HTTP/3.1", "GET /a HTTP/3.1" + tail, {400, 505}},
      {"lower case", "GET /a http/1.1" + tail, {400, 505}},
      {"overflow", "GET /a HTTP/4294967297.1" + tail, {400, 505}},
      {"no version", "GET /a\r\n\r\n", {400, 505}},
      {"LF in the line", "GET /a\nHTTP/1.1" + tail},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}},
      {"space in target", "GET /a b HTTP/1.1" + tail},
      {"garbage", "\x16\x03\x01\x02\r\n\r\n"},
  });
}

TEST_F(Malformed, Expectations) {
  // Only 100-continue is understood.
  expect_refused({
      {"other", post("Expect: 200-ok\r\nContent-Length: 0\r\n"), {417}},
      {"list", post("Expect: x 100-continue\r\nContent-Length: 0\r\n"), {417, 400}},
  });
}

TEST_F(Malformed, ConnectionMayNotNameProtectedFields) {
  // A client cannot have the proxy drop what the app relies on.
  std::vector<Row> rows;
  for (const char* name : {"Host", "Content-Length", "Transfer-Encoding", "X-Forwarded-For",
                           "Cache-Control", "Authorization", "Cookie", "Forwarded"})
    rows.push_back(
        {name, "GET /a HTTP/1.1\r\nHost: app.test\r\nCookie: a=b\r\nConnection: close, " +
                   std::string(name) + "\r\n\r\n"});
  expect_refused(rows);
}

TEST_F(Malformed, UnderscoreAliasesOfFramingNeverReachTheApp) {
  // Content_Length is a variable of the same name to many apps: refused or dropped.
  for (const char* name : {"Content_Length", "Transfer_Encoding"}) {
    const Response response = client().request("GET", "/alias", {{std::string(name), "5"}});
    EXPECT_THAT(response.status, AnyOf(400, 200));
  }
  for (const Request& request : origin_.requests("/alias"))
    EXPECT_FALSE(request.fields.has("Content_Length") || request.fields.has("Transfer_Encoding"));
}

TEST_F(Malformed, ForbiddenMethods) {
  // PURGE, TRACE and CONNECT are 405 on the main address and reach neither cache nor app.
  get("/a");
  for (const std::string& line :
       {std::string("PURGE /a"), std::string("TRACE /a"), std::string("CONNECT app.test:80")}) {
    Client one = client();
    one.send(line + " HTTP/1.1\r\nHost: app.test:80\r\n\r\n");
    EXPECT_EQ(one.read().status, 405) << line;
  }
  EXPECT_EQ(origin_.hits(), 1);
  EXPECT_TRUE(status_of("/a").hit);
}

TEST_F(Malformed, JunkBehindAGoodRequestIsRefusedAfterItsAnswer) {
  // Pipelined junk: the good answer first, then 400 and the end.
  Client one = client();
  one.send(Client::message("GET", "/good") + "\x01junk\r\n\r\n" + std::string(kSmuggled));
  EXPECT_EQ(one.read().status, 200);
  EXPECT_EQ(one.read().status, 400);
  EXPECT_TRUE(one.closed());
  EXPECT_EQ(origin_.hits("/smuggled"), 0);
}

TEST_F(Malformed, ABodyIsNeverReadAsARequest) {
  // CL.0, TE.0: the body of any method is delivered or drained, exactly.
  const std::string s(kSmuggled);
  Client one = client();
  one.send("GET /get HTTP/1.1\r\nHost: app.test\r\nContent-Length: " + std::to_string(s.size()) +
           "\r\n\r\n" + s + Client::message("GET", "/after"));
  EXPECT_EQ(one.read().body, "app /get");
  EXPECT_EQ(one.read().body, "app /after");
  one.send(
      "OPTIONS /options HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n2a\r\n" +
      s + "\r\n0\r\n\r\n" + Client::message("GET", "/after"));
  EXPECT_EQ(s.size(), 0x2aU);
  EXPECT_EQ(one.read().body, "app /options");
  EXPECT_EQ(one.read().body, "app /after");
  EXPECT_EQ(origin_.hits("/smuggled"), 0);
}

TEST_F(Malformed, TrailersAreDiscarded) {
  // Nothing in a trailer section becomes a header or reaches the app's head.
  Client one = client();
  one.send(chunked("5\r\nhello\r\n0\r\nX-Late: 1\r\nAuthorization: x\r\n\r\n"));
  EXPECT_EQ(one.read().status, 200);
  EXPECT_FALSE(origin_.last("/p").fields.has("X-Late"));
  EXPECT_FALSE(origin_.last("/p").fields.has("Authorization"));
}

TEST_F(Malformed, ACutUploadIsNotCompletedAtTheApp) {
  // A client that dies mid-body leaves the app with a broken request, not with a short one.
  const std::string both[] = {
      post("Content-Length: 100\r\n", "only this"),
      chunked("5\r\nhello\r\n"),
  };
  for (const std::string& bytes : both) {
    const int heads = origin_.heads();
    {
      Client one = client();
      one.send(bytes);
      eventually([&] { return origin_.heads() > heads; });
      one.reset();
    }
    EXPECT_TRUE(eventually([&] { return origin_.open_connections() == 0; }));
    EXPECT_EQ(origin_.hits("/p"), 0);
  }
}

}  // namespace
}  // namespace weir::test
