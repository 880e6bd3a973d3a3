// What the app is told and what is kept from it; what of its answers the client sees.
#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Forward : public E2e {
 protected:
  void SetUp() override { origin_.on("/a", Reply(200).body("x")); }
  Request sent(const Fields& fields = {}) {
    get("/a", fields);
    return origin_.last("/a");
  }
};

TEST_F(Forward, StrangersForwardingFieldsAreReplaced) {
  // From a peer outside trusted_proxies nothing is believed.
  start("routes: []\ntrusted_proxies: []\n");
  const Request request = sent({{"X-Forwarded-For", "6.6.6.6"},
                                {"X-Forwarded-Proto", "https"},
                                {"X-Forwarded-Host", "evil.test"},
                                {"Forwarded", "for=6.6.6.6;host=evil.test"}});
  EXPECT_EQ(request.fields.joined("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(request.fields.joined("X-Forwarded-Proto"), "http");
  EXPECT_EQ(request.fields.joined("X-Forwarded-Host"), "app.test");
  const std::string forwarded = request.fields.joined("Forwarded");
  EXPECT_THAT(forwarded, HasSubstr("for=127.0.0.1"));
  EXPECT_THAT(forwarded, HasSubstr("proto=http"));
  EXPECT_THAT(forwarded, Not(HasSubstr("https")));
  EXPECT_THAT(forwarded, HasSubstr("host=app.test"));
  EXPECT_THAT(forwarded, Not(HasSubstr("6.6.6.6")));
}

TEST_F(Forward, TrustedProxiesAreBelieved) {
  // By default loopback is trusted: -For is appended to, -Proto counts, -Host is the key's.
  start("routes: []\n");
  const Request request = sent({{"X-Forwarded-For", "6.6.6.6"},
                                {"X-Forwarded-Proto", "https"},
                                {"X-Forwarded-Host", "evil.test"},
                                {"Forwarded", "for=6.6.6.6;proto=https"}});
  EXPECT_EQ(request.fields.joined("X-Forwarded-For"), "6.6.6.6, 127.0.0.1");
  EXPECT_EQ(request.fields.joined("X-Forwarded-Proto"), "https");
  EXPECT_EQ(request.fields.joined("X-Forwarded-Host"), "app.test");
  EXPECT_THAT(request.fields.joined("Forwarded"), StartsWith("for=6.6.6.6"));
  EXPECT_THAT(request.fields.joined("Forwarded"), HasSubstr("for=127.0.0.1"));
}

TEST_F(Forward, OnlyASchemeIsPassedOnAsOne) {
  // Even a trusted peer can only say http or https, in their own words or a WebSocket's; of several
  // the first counts. On every route, and in the key.
  start("routes: [ { match: /cached/**, cache: { duration: 60 } } ]\n");
  origin_.otherwise(
      [](const Request& request) { return cacheable(request.fields.joined("X-Forwarded-Proto")); });
  const std::pair<const char*, const char*> rows[] = {
      {"https", "https"}, {"wss", "https"},         {"ws", "http"}, {"https, https", "https"},
      {"ftp", "http"},    {"https, http", "https"}, {"", "http"},   {"https\"x", "http"},
  };
  for (const auto& [told, scheme] : rows) {
    const Fields fields = {{"X-Forwarded-Proto", told}};
    for (const char* path : {"/pass", "/cached/a"}) {
      EXPECT_EQ(get(path, fields).body, scheme) << told << " " << path;
    }
    EXPECT_TRUE(status_of("/cached/a", fields).hit) << told;
  }
}

TEST_F(Forward, OptionsGoAsFarAsTheyMay) {
  // RFC 9110 7.6.2: counted down on the way, answered here when they may go no further.
  start("routes: []\n");
  Client one = client();
  one.send(Client::message("OPTIONS", "/a", {{"Max-Forwards", "2"}}));
  EXPECT_EQ(one.read().body, "x");
  EXPECT_EQ(origin_.last("/a").fields.joined("Max-Forwards"), "1");
  one.send(Client::message("OPTIONS", "/a", {{"Max-Forwards", "0"}}));
  const Response answer = one.read();
  EXPECT_EQ(answer.status, 204);
  EXPECT_THAT(answer.fields.joined("Allow"), HasSubstr("OPTIONS"));
  EXPECT_TRUE(answer.fields.has("Date"));
  EXPECT_EQ(origin_.hits("/a"), 1);
  one.send(Client::message("GET", "/a", {{"Max-Forwards", "0"}}));
  EXPECT_EQ(one.read().body, "x") << "the field means nothing for GET, and the connection lives";
}

TEST_F(Forward, TrustIsACidr) {
  // A range that does not hold the peer trusts nobody.
  start("routes: []\ntrusted_proxies: [10.0.0.0/8]\n");
  EXPECT_EQ(sent({{"X-Forwarded-For", "6.6.6.6"}}).fields.joined("X-Forwarded-For"), "127.0.0.1");
}

TEST_F(Forward, ViaNamesWeirOnce) {
  // RFC 9110 7.6.3: appended to what is there, both ways.
  origin_.on("/via", Reply(200).header("Via", "1.1 inner").body("x"));
  start("routes: []\n");
  EXPECT_EQ(sent().fields.joined("Via"), "1.1 weir");
  EXPECT_EQ(sent({{"Via", "1.0 outer"}}).fields.joined("Via"), "1.0 outer, 1.1 weir");
  EXPECT_EQ(get("/via").fields.joined("Via"), "1.1 inner, 1.1 weir");
}

TEST_F(Forward, HopByHopFieldsDoNotTravelToTheApp) {
  // Connection's own and those it names, and every upgrade to HTTP/2.
  start("routes: []\n");
  const Request request = sent({{"Connection", "keep-alive, X-Foo, Upgrade, HTTP2-Settings"},
                                {"X-Foo", "1"},
                                {"Keep-Alive", "timeout=5"},
                                {"TE", "trailers"},
                                {"Trailer", "X"},
                                {"Proxy-Connection", "keep-alive"},
                                {"Proxy-Authorization", "x"},
                                {"Upgrade", "h2c"},
                                {"HTTP2-Settings", "AAMAAABkAAQAAP__"},
                                {"X-Bar", "2"}});
  for (const char* name : {"X-Foo", "Keep-Alive", "TE", "Trailer", "Proxy-Connection",
                           "Proxy-Authorization", "Upgrade", "HTTP2-Settings"})
    EXPECT_FALSE(request.fields.has(name)) << name;
  EXPECT_THAT(request.fields.joined("Connection"), Not(HasSubstr("X-Foo")));
  EXPECT_EQ(request.fields.value("X-Bar"), "2");
}

TEST_F(Forward, HopByHopFieldsDoNotTravelToTheClient) {
  // Neither on the miss nor from the store.
  origin_.on("/hop", cacheable("x")
                         .header("Connection", "X-Foo")
                         .header("X-Foo", "1")
                         .header("Keep-Alive", "timeout=5")
                         .header("Proxy-Authenticate", "Basic")
                         .header("Upgrade", "h2c")
                         .header("X-Bar", "2"));
  start(kCacheAll);
  for (int i = 0; i < 2; ++i) {
    const Response response = get("/hop");
    for (const char* name : {"X-Foo", "Keep-Alive", "Proxy-Authenticate", "Upgrade"})
      EXPECT_FALSE(response.fields.has(name)) << name;
    EXPECT_THAT(response.value("Connection"), Not(HasSubstr("X-Foo")));
    EXPECT_EQ(response.value("X-Bar"), "2");
  }
}

TEST_F(Forward, NothingIsAddedOnTheAppsBehalf) {
  // No Accept, User-Agent, Content-Type or Expect that the client did not send; fields keep their
  // order and repetitions.
  start("routes: []\n");
  const Request request = sent({{"X-Twice", "1"}, {"X-Twice", "2"}, {"X-Empty", ""}});
  for (const char* name : {"Accept", "User-Agent", "Content-Type", "Expect", "Content-Length",
                           "Transfer-Encoding", "Accept-Encoding", "Cookie"})
    EXPECT_FALSE(request.fields.has(name)) << name;
  EXPECT_EQ(request.fields.joined("X-Twice"), "1, 2");
  EXPECT_TRUE(request.fields.has("X-Empty"));
  client().request("POST", "/a", {}, std::string(2'000'000, 'x'));
  for (const char* name : {"Content-Type", "Expect"})
    EXPECT_FALSE(origin_.last("/a").fields.has(name)) << name;
}

TEST_F(Forward, HostPreserve) {
  // The default: the app sees the Host that the client asked for.
  start("routes: []\n");
  EXPECT_EQ(sent({{"Host", "shop.test:8080"}}).fields.joined("Host"), "shop.test:8080");
}

TEST_F(Forward, HostUpstreamAndName) {
  // The upstream's own, or a name of the configuration's.
  start("routes: []\nupstream: { url: \"" + origin_.url() + "\", host: upstream }\n");
  EXPECT_EQ(sent().fields.joined("Host"), "127.0.0.1:" + std::to_string(origin_.port()));
  EXPECT_EQ(sent().fields.joined("X-Forwarded-Host"), "app.test");
  ASSERT_EQ(weir().stop(), 0);
  start("routes: []\nupstream: { url: \"" + origin_.url() + "\", host: inner.test }\n");
  EXPECT_EQ(sent().fields.joined("Host"), "inner.test");
}

TEST_F(Forward, InterimAnswersAreRelayed) {
  // 103 Early Hints reach an HTTP/1.1 client and never an HTTP/1.0 one; they use up no answer.
  origin_.on("/hints", Reply::raw("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
                                  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  start("routes: []\n");
  Client one = client();
  const Response response = one.get("/hints");
  ASSERT_EQ(response.informational.size(), 1U);
  EXPECT_EQ(response.informational[0].status, 103);
  EXPECT_EQ(response.informational[0].value("Link"), "</a.css>");
  EXPECT_EQ(response.informational[0].value("Via"), "1.1 weir");
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(one.get("/a").body, "x");
  Client old = client();
  old.send("GET /hints HTTP/1.0\r\nHost: app.test\r\n\r\n");
  EXPECT_THAT(old.read_until_close(), StartsWith("HTTP/1.1 200"));
}

TEST_F(Forward, WebSocketsAreTunnelled) {
  // After the app's 101 bytes flow both ways untouched, on a cached route too, until one side ends.
  origin_.on("/ws", Reply::raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhello")
                        .echo());
  start(kCacheAll);
  {
    Client one = client();
    one.send(Client::message(
        "GET", "/ws",
        {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Key", "abc"}}));
    const Response response = one.read_head();
    EXPECT_EQ(response.status, 101);
    EXPECT_THAT(response.value("Upgrade"), testing::StrCaseEq("websocket"));
    EXPECT_EQ(response.value("Sec-WebSocket-Accept"), "x");
    std::string got;
    while (got.size() < 5) got += one.read_some(5 - got.size());
    EXPECT_EQ(got, "hello");
    const std::string frames = patterned(100'000) + "GET / HTTP/1.1\r\n\r\n";
    one.send(frames);
    for (got.clear(); got.size() < frames.size();) got += one.read_some();
    EXPECT_EQ(got, frames);
  }
  EXPECT_THAT(origin_.last("/ws").fields.value("Upgrade"), testing::StrCaseEq("websocket"));
  EXPECT_THAT(origin_.last("/ws").fields.value("Connection"), testing::StrCaseEq("Upgrade"));
  EXPECT_TRUE(eventually([&] { return origin_.open_connections() == 0; })) << "unpooled";
}

TEST_F(Forward, OtherUpgradesAreTunnelledToo) {
  // What container engines do: a POST without content that goes on as raw bytes, whatever the
  // protocol's name. HTTP in another form is left out of the offer.
  origin_.on("/attach", Reply::raw("HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n"
                                   "Connection: Upgrade\r\n\r\nlog: ")
                            .echo());
  start(kCacheAll);
  for (const Fields& more : {Fields{}, Fields{{"Content-Length", "0"}}}) {
    for (const char* offer : {"tcp", "h2c, tcp"}) {
      Fields fields = {{"Connection", "Upgrade"}, {"Upgrade", offer}};
      for (const auto& [name, value] : more) fields.add(name, value);
      Client one = client();
      one.send(Client::message("POST", "/attach", fields));
      const Response response = one.read_head();
      EXPECT_EQ(response.status, 101);
      EXPECT_EQ(response.value("Upgrade"), "tcp");
      EXPECT_EQ(response.value("Connection"), "Upgrade");
      const std::string typed = "ls\n" + patterned(10'000);
      one.send(typed);
      std::string got;
      while (got.size() < 5 + typed.size()) got += one.read_some();
      EXPECT_EQ(got, "log: " + typed);
      EXPECT_EQ(origin_.last("/attach").fields.joined("Upgrade"), "tcp");
    }
  }
}

TEST_F(Forward, Http2IsNeverOffered) {
  // An offer of HTTP in another form is as if it were not there, whatever the method.
  origin_.on("/a", cacheable("x"));
  start(kCacheAll);
  for (const char* offer : {"h2c", "HTTP/2.0", "TLS/1.2, h2"}) {
    const Fields fields = {{"Connection", "Upgrade, HTTP2-Settings"},
                           {"Upgrade", offer},
                           {"HTTP2-Settings", "AAMAAABkAAQAAP__"}};
    EXPECT_EQ(get("/a", fields).body, "x");
    EXPECT_EQ(client().request("POST", "/a", fields).body, "x");
    for (const char* name : {"Upgrade", "HTTP2-Settings"}) {
      EXPECT_FALSE(origin_.last("/a").fields.has(name)) << name;
    }
    get("/a", fields);
  }
  EXPECT_TRUE(status_of("/a").hit) << "such a request is an ordinary one";
}

TEST_F(Forward, ARefusedUpgradeIsAnOrdinaryAnswer) {
  // An app that does not upgrade answers as usual and the connection goes on; nothing is stored.
  origin_.on("/ws", cacheable("no websockets here"));
  start(kCacheAll);
  Client one = client();
  const Fields upgrade = {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}};
  const Response response = one.get("/ws", upgrade);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "no websockets here");
  EXPECT_EQ(cache_status(response).detail, "upgrade");
  EXPECT_FALSE(status_of("/ws").hit);
}

TEST_F(Forward, EventStreamsFlowByteByByte) {
  // Each piece is passed on when it comes, and silence longer than idle_timeout does not end it.
  const Gate second;
  const Gate third;
  origin_.on("/events", Reply(200)
                            .header("Content-Type", "text/event-stream")
                            .chunked()
                            .part("d")
                            .gate(second)
                            .part("a")
                            .gate(third)
                            .part("ta"));
  origin_.on("/stuck", Reply(200).length(10).part("a").hang());
  start(std::string(kCacheAll) + "upstream: { url: \"" + origin_.url() +
        "\", idle_timeout: 300ms }\n");
  Client events = client();
  events.send(Client::message("GET", "/events"));
  const Response head = events.read_head();
  EXPECT_EQ(cache_status(head).detail, "stream");
  EXPECT_EQ(events.read_chunked(1), "d");
  second.open();
  EXPECT_EQ(events.read_chunked(1), "a");
  const Response stuck = get("/stuck");  // ends by idle_timeout, which so has passed
  EXPECT_FALSE(stuck.complete);
  third.open();
  EXPECT_EQ(events.read_chunked(2), "ta");
}

}  // namespace
}  // namespace weir::test
