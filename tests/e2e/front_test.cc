// The client's side: connections, methods, bodies both ways.
#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

using testing::HasSubstr;

class Front : public E2e {};

TEST_F(Front, OneConnectionCarriesManyRequests) {
  // A connection stays open from answer to answer, misses and hits alike.
  origin_.on("/a", cacheable("aaa"));
  origin_.on("/b", cacheable("bb"));
  start(kCacheAll);
  Client one = client();
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(one.get("/a").body, "aaa");
    EXPECT_EQ(one.get("/b").body, "bb");
  }
  EXPECT_EQ(origin_.hits(), 2);
}

TEST_F(Front, TenPipelinedRequestsAreAnsweredInOrder) {
  // Hits and misses in one segment come back in the order of their requests.
  origin_.otherwise([](const Request& request) { return cacheable(request.path); });
  start(kCacheAll);
  for (const char* warm : {"/1", "/4", "/7"}) get(warm);
  Client one = client();
  std::string batch;
  for (int i = 0; i < 10; ++i) batch += Client::message("GET", "/" + std::to_string(i));
  one.send(batch);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(one.read().body, "/" + std::to_string(i));
}

TEST_F(Front, ASlowMissHoldsBackTheHitsBehindIt) {
  // Order holds even when the first of a batch waits for the app and the others are in RAM.
  const Gate gate;
  origin_.on("/slow", cacheable("slow").gate_head(gate));
  origin_.on("/hit", cacheable("hit"));
  start(kCacheAll);
  get("/hit");
  Client one = client();
  one.send(Client::message("GET", "/slow") + Client::message("GET", "/hit"));
  gate.await_arrivals(1);
  EXPECT_FALSE(one.readable_now());
  gate.open();
  EXPECT_EQ(one.read().body, "slow");
  EXPECT_EQ(one.read().body, "hit");
}

TEST_F(Front, ARequestMayComeByteByByte) {
  // No byte boundary matters to the parser.
  origin_.on("/a", [](const Request& request) { return cacheable("got " + request.body); });
  start(kCacheAll);
  Client one = client();
  for (const std::string& text :
       {Client::message("GET", "/a"), Client::message("POST", "/a", {}, "body"),
        std::string("POST /a HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3;x=y\r\nbod\r\n1\r\ny\r\n0\r\nTrailer: t\r\n\r\n")}) {
    for (const char byte : text) one.send({&byte, 1});
    EXPECT_THAT(one.read().body, HasSubstr("got"));
  }
  EXPECT_EQ(origin_.last("/a").body, "body");
}

TEST_F(Front, OneLeadingEmptyLineIsForgiven) {
  // RFC 9112 2.2: an empty line before a request is skipped.
  origin_.on("/a", cacheable("a"));
  start(kCacheAll);
  Client one = client();
  one.send("\r\n" + Client::message("GET", "/a"));
  EXPECT_EQ(one.read().status, 200);
}

TEST_F(Front, Http10ClientsGetOneAnswerAndTheEnd) {
  // Without Connection: keep-alive the end of the connection follows the answer; a chunked answer
  // of the app reaches such a client without chunks.
  origin_.on("/a", cacheable("hello"));
  origin_.on("/chunked", Reply(200).chunked().part("hel").part("lo"));
  start(kCacheAll);
  for (const char* path : {"/a", "/a", "/chunked"}) {
    Client one = client();
    one.send(std::string("GET ") + path + " HTTP/1.0\r\nHost: app.test\r\n\r\n");
    const Response response = one.read();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "hello");
    EXPECT_FALSE(response.fields.has("Transfer-Encoding"));
    EXPECT_TRUE(one.closed());
  }
}

TEST_F(Front, Http10ClientsMayKeepAlive) {
  // With Connection: keep-alive they are told so, given a length, and may go on.
  origin_.on("/a", cacheable("hello"));
  start(kCacheAll);
  Client one = client();
  for (int i = 0; i < 3; ++i) {
    one.send("GET /a HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n");
    const Response response = one.read();
    EXPECT_EQ(response.body, "hello");
    EXPECT_EQ(response.framing, Framing::Length);
    EXPECT_THAT(response.value("Connection"), testing::StrCaseEq("keep-alive"));
  }
}

TEST_F(Front, ConnectionCloseIsHonoured) {
  // After an answer to Connection: close the connection ends and what was sent behind it is
  // ignored.
  origin_.on("/a", cacheable("hello"));
  origin_.on("/b", cacheable("never"));
  start(kCacheAll);
  Client one = client();
  one.send(Client::message("GET", "/a", {{"Connection", "close"}}) + Client::message("GET", "/b"));
  const Response response = one.read();
  EXPECT_EQ(response.body, "hello");
  EXPECT_THAT(response.value("Connection"), testing::StrCaseEq("close"));
  EXPECT_TRUE(one.closed());
  EXPECT_EQ(origin_.hits("/b"), 0);
}

TEST_F(Front, AHalfClosedClientStillGetsItsAnswer) {
  // A client may end its sending side once its request is out.
  const Gate gate;
  origin_.on("/a", cacheable("hello").gate_head(gate));
  start(kCacheAll);
  Client one = client();
  one.send(Client::message("GET", "/a"));
  one.shut_down_sending();
  gate.await_arrivals(1);
  gate.open();
  EXPECT_EQ(one.read().body, "hello");
}

TEST_F(Front, AnAppThatSaysNothingToExpectIsGivenTheBodyAfterASecond) {
  // RFC 9110 10.1.1: the client is told to continue then, and the app has seen what it expects.
  origin_.on("/up", [](const Request& request) { return Reply(200).body("got " + request.body); });
  start(kCacheAll);
  Client one = client();
  one.send(
      "POST /up HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_THAT(one.read_some(12), HasSubstr("HTTP/1.1 100"));
  while (one.read_some(1) != "\n") {
  }
  EXPECT_EQ(one.read_some(2), "\r\n");
  one.send("body");
  EXPECT_EQ(one.read().body, "got body");
  EXPECT_EQ(origin_.last("/up").fields.value("Expect"), "100-continue");
}

TEST_F(Front, AnAppMayRefuseABodyBeforeItIsSent) {
  // Its answer is the first thing that the client hears.
  origin_.answer_early("/up", Reply(401).body("who are you?"));
  start(kCacheAll);
  Client one = client();
  one.send(
      "POST /up HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  const Response response = one.read();
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.body, "who are you?");
}

TEST_F(Front, HeadIsAnsweredFromAStoredGet) {
  // HEAD after GET is a hit with the GET's length and no body.
  origin_.on("/a", cacheable("hello"));
  start(kCacheAll);
  get("/a");
  Client one = client();
  const Response head = one.request("HEAD", "/a");
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(cache_status(head).hit);
  EXPECT_EQ(head.value("Content-Length"), "5");
  EXPECT_EQ(one.get("/a").body, "hello") << "no byte of a body stood behind the HEAD's head";
  EXPECT_EQ(origin_.hits("/a"), 1);
}

TEST_F(Front, AHeadMissIsForwardedAsHeadAndStoresNothing) {
  // Rule 5: the app sees HEAD, and a GET afterwards is still a miss.
  origin_.on("/a", cacheable("hello"));
  start(kCacheAll);
  Client one = client();
  EXPECT_EQ(one.request("HEAD", "/a").value("Content-Length"), "5");
  EXPECT_EQ(origin_.last("/a").method, "HEAD");
  const Response miss = one.get("/a");
  EXPECT_FALSE(cache_status(miss).hit);
  EXPECT_EQ(miss.body, "hello");
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(Front, BodiesPassInBothFramingsBothWays) {
  // Each of {length, chunked} up with each of {length, chunked} down, byte for byte.
  const std::string big = patterned(300'000);
  const auto echo = [](bool as_chunks) {
    return [as_chunks](const Request& request) {
      Reply reply(200);
      if (as_chunks) reply.chunked();
      return reply.header("X-Sent", request.fields.has("Transfer-Encoding") ? "chunked" : "length")
          .body(request.body);
    };
  };
  origin_.on("/length", echo(false));
  origin_.on("/chunked", echo(true));
  start("routes: []\n");
  Client one = client();
  for (const char* path : {"/length", "/chunked"}) {
    Response response = one.request("POST", path, {}, big);
    EXPECT_TRUE(response.complete && response.body == big) << path;
    EXPECT_EQ(response.value("X-Sent"), "length");
    one.send(Client::message("PUT", path, {{"Transfer-Encoding", "chunked"}}));
    one.send("10\r\n" + big.substr(0, 16) + "\r\n");
    char size[32];
    std::snprintf(size, sizeof(size), "%zX\r\n", big.size() - 16);
    one.send(size + big.substr(16) + "\r\n0\r\n\r\n");
    response = one.read();
    EXPECT_TRUE(response.complete && response.body == big) << path << " chunked";
    EXPECT_EQ(response.value("X-Sent"), "chunked");
  }
}

TEST_F(Front, EmptyBodiesKeepTheirFraming) {
  // Content-Length: 0 travels; 204 and 304 have neither length nor body.
  origin_.on("/empty", Reply(200));
  origin_.on("/204", Reply(204));
  start(kCacheAll);
  Client one = client();
  EXPECT_EQ(one.request("POST", "/empty", {{"Content-Length", "0"}}).status, 200);
  EXPECT_EQ(origin_.last("/empty").fields.value("Content-Length"), "0");
  const Response none = one.request("POST", "/204", {{"Content-Length", "0"}});
  EXPECT_EQ(none.status, 204);
  EXPECT_FALSE(none.fields.has("Content-Length") || none.fields.has("Transfer-Encoding"));
  EXPECT_EQ(one.get("/empty").status, 200);
}

TEST_F(Front, ATargetReachesTheAppByteForByte) {
  // RFC 9110 7.7: path and query are not rewritten, squashed or decoded.
  origin_.otherwise([](const Request& request) { return Reply(200).body(request.target); });
  start("routes: []\n");
  for (const char* target : {"/a/../b", "/a//b/./c", "/%7euser/%41", "/a%2fb?x=%20&&y==1", "/a?",
                             "/;p=1?q=/../", "/a|b{c}\"<>^`", "/caf%C3%A9"})
    EXPECT_EQ(get(target).body, target);
}

TEST_F(Front, AnAbsoluteTargetsAuthorityWinsOverHost) {
  // RFC 9112 3.2.2: the received Host is ignored and replaced.
  origin_.otherwise([](const Request& request) {
    return Reply(200).body(request.fields.joined("Host") + " " + request.target);
  });
  start("routes: []\n");
  EXPECT_EQ(get("http://real.test/x?y", {{"Host", "other.test"}}).body, "real.test /x?y");
}

TEST_F(Front, AnyMethodButTheForbiddenOnesPasses) {
  // Unknown methods, QUERY and OPTIONS * are forwarded with their bodies.
  origin_.otherwise([](const Request& request) {
    return Reply(200).body(request.method + " " + request.target + " " + request.body);
  });
  start(kCacheAll);
  Client one = client();
  EXPECT_EQ(one.request("QUERY", "/q", {}, "x=1").body, "QUERY /q x=1");
  EXPECT_EQ(one.request("PATCH", "/q", {}, "p").body, "PATCH /q p");
  EXPECT_EQ(one.request("BREW", "/pot").body, "BREW /pot ");
  EXPECT_EQ(one.request("OPTIONS", "*").body, "OPTIONS * ");
}

TEST_F(Front, AnEmptyHostIsLikeNoHostInHttp10) {
  // It is valid (RFC 9110 7.2) and names nobody: no route with a `host` matches, and the app is
  // told its own. Such an answer is nobody's who names a host.
  origin_.on("/a", [](const Request& request) {
    EXPECT_FALSE(request.fields.has("X-Forwarded-Host"));
    return cacheable(request.fields.joined("Host"));
  });
  start(
      "routes:\n"
      "  - { match: { path: /a, host: \"*.test\" }, cache: false }\n"
      "  - { match: /a, cache: { duration: 60 } }\n");
  const std::string own = "127.0.0.1:" + std::to_string(origin_.port());
  for (const char* request : {"GET /a HTTP/1.0\r\n\r\n", "GET /a HTTP/1.1\r\nHost:\r\n\r\n",
                              "GET /a HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n"}) {
    Client one = client();
    one.send(request);
    const Response response = one.read();
    EXPECT_EQ(response.status, 200) << request;
    EXPECT_EQ(response.body, own);
  }
  EXPECT_EQ(origin_.hits("/a"), 1);
}

}  // namespace
}  // namespace weir::test
