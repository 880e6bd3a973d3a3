// Requests as a session takes them: one after the other, whole or in pieces, good or bad.
#include "tests/proxy/front/h1_session_fixture.h"

namespace weir::front {
namespace {

using test::ScriptedHandler;

class H1SessionRequest : public H1SessionTest {
 protected:
  void handler_answers_at_once() {
    handlers.at_start = [](ScriptedHandler& handler) {
      handler.answers(200, handler.exchange().request().target);
    };
  }
};

TEST_F(H1SessionRequest, CostsOneReadAndOneWrite) {
  // The road of a hit, on a connection that is kept.
  handler_answers_at_once();
  client_sends(get("/first"));
  client.received();
  const int reads = client.reads();
  const int writes = client.writes();
  client_sends(get("/second"));
  expect_response(ok("/second"));
  EXPECT_EQ(client.reads() - reads, 1);
  EXPECT_EQ(client.writes() - writes, 1);
}

TEST_F(H1SessionRequest, MayComeInAnyPieces) {
  handler_answers_at_once();
  const std::string two = get("/one", "X-A: b\r\n") + get("/two");
  for (std::size_t cut = 1; cut < two.size(); ++cut) {
    client_sends(two.substr(0, cut));
    client_sends(two.substr(cut));
    expect_response(ok("/one") + ok("/two"));
  }
  for (const char byte : two) client_sends({&byte, 1});
  expect_response(ok("/one") + ok("/two"));
}

TEST_F(H1SessionRequest, IsAnsweredInItsTurn) {
  // However many are sent ahead, and whether their answers are there at once or come later.
  std::string sent;
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    const std::string path = "/" + std::to_string(i);
    sent += get(path);
    expected += ok(path);
  }
  handlers.at_start = [](ScriptedHandler& handler) {
    const std::string_view target = handler.exchange().request().target;
    if (target.back() != '5') handler.answers(200, target);
  };
  client_sends(sent);
  for (const char* late : {"/5", "/15", "/25", "/35"}) {
    EXPECT_EQ(handlers.last().exchange().request().target, late);
    EXPECT_EQ(handlers.started - handlers.finished, 1) << "one exchange at a time";
    handler_answers(200, late);
  }
  expect_response(expected);
  EXPECT_EQ(handlers.started, 40);
}

TEST_F(H1SessionRequest, StaysReadableForWhoeverGoesOnLater) {
  // The buffer that it was received in is other clients' by then.
  client_sends(get("/kept?q=1", "X-Name: value\r\n"));
  const http::RequestHead& head = handlers.last().exchange().request();
  EXPECT_EQ(head.target, "/kept?q=1");
  EXPECT_EQ(head.path, "/kept");
  EXPECT_EQ(head.query, "q=1");
  EXPECT_EQ(head.authority, "a.test");
  EXPECT_EQ(head.find("x-name")->value, "value");
}

TEST_F(H1SessionRequest, MayBeKeptAtAnyTimeAndTwice) {
  std::string seen;
  handlers.at_start = [&](ScriptedHandler& handler) {
    handler.exchange().keep_request();
    const char* const kept = handler.exchange().request().target.data();
    handler.exchange().keep_request();
    EXPECT_EQ(handler.exchange().request().target.data(), kept);
    seen += handler.exchange().request().target;
  };
  client_sends(get("/one"));
  handler_answers(200);
  client_sends(get("/two") + get("/three"));
  handler_answers(200);
  EXPECT_EQ(seen, "/one/two/three");
}

TEST_F(H1SessionRequest, TellsWhoSentItAndWhatIsBelievedOfThat) {
  // What a proxy says of its visitor counts when the proxy is trusted.
  struct Case {
    bool trusted;
    std::string_view fields;
    std::string_view scheme;
    std::string_view authority;
  };
  context_.trusted_fields = {conf::TrustedField::Proto, conf::TrustedField::Host};
  for (const Case& c :
       {Case{false, "X-Forwarded-Proto: https\r\nX-Forwarded-Host: b.test\r\n", "http", "a.test"},
        Case{true, "X-Forwarded-Proto: wss, http\r\n", "https", "a.test"},
        Case{true, "X-Forwarded-Host: b.test, c.test\r\n", "http", "b.test"},
        Case{true, "", "http", "a.test"}}) {
    session_.reset();
    client = {};
    connect({.ip = "192.0.2.7", .trusted = c.trusted});
    client_sends(get("/", c.fields));
    Exchange& exchange = handlers.last().exchange();
    EXPECT_EQ(exchange.peer_ip(), "192.0.2.7");
    EXPECT_EQ(exchange.peer_trusted(), c.trusted);
    EXPECT_EQ(exchange.believed().empty(), !c.trusted);
    exchange.keep_request();
    std::ranges::fill(batch_.room(), '!');
    EXPECT_EQ(exchange.destination().scheme, c.scheme) << c.fields;
    EXPECT_EQ(exchange.destination().authority, c.authority) << c.fields;
  }
}

TEST_F(H1SessionRequest, IsRefusedWhenTheHostThatATrustedProxyTellsIsNone) {
  // Whatever the method. A stranger's word, or one that is not believed, is not even looked at.
  const std::string_view line = "X-Forwarded-Host: b.test/x\r\n";
  for (const bool trusted : {true, false}) {
    for (const bool believed : {true, false}) {
      for (const std::string& request : {get("/", line), post(0, "", line)}) {
        session_.reset();
        client = {};
        context_.trusted_fields = {};
        if (believed) context_.trusted_fields.add(conf::TrustedField::Host);
        connect({.ip = "192.0.2.7", .trusted = trusted});
        const int started = handlers.started;
        client_sends(request);
        if (trusted && believed) {
          expect_refusal(400, "bad-forwarded-host");
          EXPECT_EQ(handlers.started, started);
        } else {
          EXPECT_EQ(handlers.started, started + 1);
        }
      }
    }
  }
}

TEST_F(H1SessionRequest, MayBeTheLastOfItsConnection) {
  // As the client says, or its version.
  struct Case {
    std::string_view request;
    std::string_view answer;
    bool last;
  };
  const std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  for (const Case& c : {
           Case{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n", false},
           Case{"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                "Connection: close\r\n\r\n", true},
           Case{"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "Connection: close\r\n\r\n", true},
           Case{"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
                "Connection: keep-alive\r\n\r\n", false},
       }) {
    session_.reset();
    client = {};
    client_sends(c.request);
    handler_answers(200);
    expect_response(std::string(kOk) + std::string(c.answer));
    if (c.last) {
      client_sends(get("/never"));
      expect_goodbye();
    } else {
      expect_open();
    }
  }
  EXPECT_EQ(handlers.started, 4);
}

TEST_F(H1SessionRequest, MayFollowAStrayLineEnd) {
  // Old clients send one behind a body (RFC 9112 2.2). It begins nothing: no head is waited for.
  handler_answers_at_once();
  client_sends(get("/one") + "\r\n");
  expect_response(ok("/one"));
  passes(limits.header_timeout_ms);
  client_sends(get("/two"));
  expect_response(ok("/two"));
  client_sends("\r\n");
  passes(limits.keepalive_timeout_ms);
  expect_nothing();
  expect_gone();
}

TEST_F(H1SessionRequest, ThatIsBrokenEndsTheConnection) {
  // Nothing behind it is looked at, whatever it came with.
  handler_answers_at_once();
  client_sends(get("/one") + "NO SUCH THING\r\n\r\n" + get("/never"));
  const std::string got = client.received();
  EXPECT_TRUE(got.starts_with(ok("/one") + "HTTP/1.1 400 Bad Request\r\n")) << got;
  expect_goodbye();
  client_sends(get("/never"));
  expect_nothing();
  EXPECT_EQ(handlers.started, 1);
}

TEST_F(H1SessionRequest, ThatIsBrokenBehindASlowOneWaitsItsTurn) {
  client_sends(get("/slow") + "NO SUCH THING\r\n\r\n");
  expect_nothing();
  handler_answers(200);
  const std::string got = client.received();
  EXPECT_TRUE(got.starts_with(ok("") + "HTTP/1.1 400 Bad Request\r\n")) << got;
  expect_goodbye();
}

TEST_F(H1SessionRequest, ThatWeirDoesNotForwardIs405) {
  // Without a handler; the connection is kept unless a body would have to be waited for.
  for (const char* method : {"TRACE", "PURGE"}) {
    client_sends(std::string(method) + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string got = client.received();
    EXPECT_TRUE(got.starts_with("HTTP/1.1 405 ")) << got;
    EXPECT_NE(got.find("\r\nAllow: " + std::string(kAllowedMethods) + "\r\n"), std::string::npos);
    expect_open();
  }
  client_sends("PURGE / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
  EXPECT_NE(client.received().find("\r\nConnection: close\r\n"), std::string::npos);
  expect_goodbye();
  EXPECT_EQ(handlers.started, 0);
}

TEST_F(H1SessionRequest, IsReadAheadOnlySoFar) {
  // While one is served 64 KiB are taken of what follows, and the rest when there is room again.
  constexpr std::size_t kAhead = std::size_t{64} * 1024;
  const std::string next = get("/next", "X-Filler: " + std::string(900, 'f') + "\r\n");
  client_sends(get("/slow"));
  std::string ahead;
  std::string expected;
  handlers.at_start = [](ScriptedHandler& handler) { handler.answers(200, "next"); };
  while (ahead.size() < 3 * kAhead) {
    ahead += next;
    expected += ok("next");
  }
  client_sends(ahead);
  EXPECT_EQ(client.unread_bytes(), ahead.size() - kAhead);
  EXPECT_FALSE(client.is_read());
  handler_answers(200, "slow");
  expect_response(ok("slow") + expected);
  EXPECT_EQ(client.unread_bytes(), 0U);
}

}  // namespace
}  // namespace weir::front
