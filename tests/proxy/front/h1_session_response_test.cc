// Responses as a session writes them: their bytes, their pace, and how they are cut.
#include "tests/proxy/front/h1_session_fixture.h"

namespace weir::front {
namespace {

using http::Framing;
using test::ScriptedHandler;

class H1SessionResponse : public H1SessionTest {
 protected:
  static std::string get_old(std::string_view fields = {}) {
    return "GET / HTTP/1.0\r\n" + std::string(fields) + "\r\n";
  }
  static std::string head_request() { return "HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n"; }
  void restart() {
    session_.reset();
    client = {};
  }
};

TEST_F(H1SessionResponse, IsFramedAsTheClientCanReadIt) {
  struct Case {
    std::string request;
    int status;
    Framing framing;
    std::string_view head;  // behind the status line
    std::string_view body;
    bool last;  // of the connection
  };
  const Case cases[] = {
      {get(), 200, Framing::Length, "Content-Length: 4\r\n\r\n", "body", false},
      {get(), 200, Framing::Chunked, "Transfer-Encoding: chunked\r\n\r\n", "4\r\nbody\r\n0\r\n\r\n",
       false},
      {get(), 200, Framing::UntilClose, "Transfer-Encoding: chunked\r\n\r\n",
       "4\r\nbody\r\n0\r\n\r\n", false},
      {get(), 200, Framing::None, "Content-Length: 0\r\n\r\n", "", false},
      {get(), 204, Framing::Chunked, "\r\n", "", false},
      {get(), 304, Framing::Length, "\r\n", "", false},
      {head_request(), 200, Framing::Length, "\r\n", "", false},
      {head_request(), 200, Framing::Chunked, "\r\n", "", false},
      {get_old(), 200, Framing::Length, "Content-Length: 4\r\nConnection: close\r\n\r\n", "body",
       true},
      {get_old(), 200, Framing::Chunked, "Connection: close\r\n\r\n", "body", true},
      {get_old("Connection: keep-alive\r\n"), 200, Framing::Length,
       "Content-Length: 4\r\nConnection: keep-alive\r\n\r\n", "body", false},
      {get_old("Connection: keep-alive\r\n"), 200, Framing::Chunked, "Connection: close\r\n\r\n",
       "body", true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << c.request << c.status << " framing " << int(c.framing));
    restart();
    client_sends(c.request);
    handler_does([&](ScriptedHandler& handler) { handler.begins(c.status, c.framing, 4); });
    const std::string head = client.received();
    EXPECT_EQ(head.substr(head.find("\r\n") + 2), c.head);
    if (!c.body.empty()) {
      handler_does([](ScriptedHandler& handler) { handler.streams("body"); });
      handler_does([](ScriptedHandler& handler) { handler.ends(); });
    }
    expect_response(c.body);
    EXPECT_EQ(handlers.finished, handlers.started);
    EXPECT_EQ(client.sees_end(), c.last);
  }
}

TEST_F(H1SessionResponse, OfWeirsOwnSaysWhy) {
  client_sends(get());
  handler_does([](ScriptedHandler& handler) { handler.refuses(503, "no-places"); });
  expect_response(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\nRetry-After: 1\r\nContent-Length: 41\r\n"
      "Cache-Status: weir; detail=no-places\r\n\r\n"
      "503 Service Unavailable\ndetail=no-places\n");
  client_sends(head_request());
  handler_does([](ScriptedHandler& handler) { handler.refuses(502, "app"); });
  expect_response(
      "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\nContent-Length: 27\r\n"
      "Cache-Status: weir; detail=app\r\n\r\n");
  expect_open();
}

TEST_F(H1SessionResponse, MayBePrecededByInterimOnes) {
  // For clients that know them, and not once it has begun itself.
  for (const bool old : {false, true}) {
    restart();
    client_sends(old ? get_old() : get());
    handler_does([](ScriptedHandler& handler) { handler.informs(103); });
    handler_does([](ScriptedHandler& handler) { handler.informs(103); });
    const std::string hint = "HTTP/1.1 103 Early Hints\r\n\r\n";
    expect_response(old ? "" : hint + hint);
    handler_does([](ScriptedHandler& handler) { handler.begins(200); });
    client.received();
    handler_does([](ScriptedHandler& handler) { handler.informs(103); });
    expect_nothing();
    EXPECT_EQ(handlers.finished, old ? 1 : 0);
  }
}

TEST_F(H1SessionResponse, IsTheSameHoweverSlowlyItIsTaken) {
  const std::string body = "0123456789";
  for (std::size_t step = 1; step < 20; ++step) {
    restart();
    client.takes(step);
    client_sends(get());
    handler_answers(200, body);
    std::string all = client.received();
    while (all.size() < ok(body).size()) {
      EXPECT_EQ(handlers.finished + 1, handlers.started);
      client_takes(step);
      const std::string more = client.received();
      ASSERT_EQ(more.size(), std::min(step, ok(body).size() - all.size()));
      all += more;
    }
    EXPECT_EQ(all, ok(body));
    EXPECT_EQ(handlers.finished, handlers.started);
    expect_open();
  }
}

TEST_F(H1SessionResponse, ThatIsNotTakenHoldsTheNextOneBack) {
  client.takes(0);
  client_sends(get("/one") + get("/two"));
  handler_answers(200, "one");
  EXPECT_EQ(handlers.started, 1);
  client_takes_all();
  EXPECT_EQ(handlers.started, 2);
  handler_answers(200, "two");
  expect_response(ok("one") + ok("two"));
}

TEST_F(H1SessionResponse, ThatBreaksOffIsSeenToBeCut) {
  // The end of the connection says so, in the middle of a length or of chunks. Where it would mean
  // the body's end there is a reset.
  struct Case {
    std::string request;
    Framing framing;
    bool reset;
  };
  const Case cases[] = {{get(), Framing::Length, false},
                        {get(), Framing::Chunked, false},
                        {get_old(), Framing::Length, false},
                        {get_old(), Framing::UntilClose, true}};
  for (const Case& c : cases) {
    restart();
    client_sends(c.request);
    handler_does([&](ScriptedHandler& handler) { handler.begins(200, c.framing, 100); });
    handler_does([](ScriptedHandler& handler) { handler.streams("half"); });
    client.received();
    handler_does([](ScriptedHandler& handler) { handler.breaks_off(); });
    expect_nothing();
    EXPECT_EQ(client.was_reset(), c.reset);
    expect_gone();
  }
}

TEST_F(H1SessionResponse, BeforeTheRequestsBodyIsWholeIsTheLast) {
  // What is left of the body could be taken for a request: it is thrown away, here or with the
  // connection.
  handlers.at_start = [](ScriptedHandler& handler) { handler.answers(200, "early"); };
  client_sends(post(5, "whole") + get("/next"));
  expect_response(ok("early") + ok("early"));
  expect_open();
  client_sends(post_chunked("5\r\nwhole\r\n0\r\n\r\n") + get("/next"));
  expect_response(ok("early") + ok("early"));
  expect_open();
  client_sends(post(50, "half"));
  expect_response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nearly");
  expect_goodbye();
  client_sends(get("/smuggled"));
  expect_nothing();
  EXPECT_EQ(handlers.started, 5);
}

TEST_F(H1SessionResponse, OfAFaultyBodyIsTheClientsFault) {
  // Whatever the handler makes of a body that it cannot read, the client learns what was wrong.
  struct Case {
    std::string request;
    int status;
    std::string_view detail;
  };
  limits.max_body = 10;
  for (const Case& c : {Case{post_chunked("b\r\n01234567890\r\n0\r\n\r\n"), 413, "max-body"},
                        Case{post_chunked("XYZ\r\n"), 400, "bad-chunk-size"}}) {
    restart();
    client_sends(c.request);
    handler_does([](ScriptedHandler& handler) {
      handler.reads_body();
      EXPECT_EQ(handler.last_read(), BodyRead::Status::Failed);
      handler.refuses(502, "app-failed");
    });
    expect_refusal(c.status, c.detail);
    expect_goodbye();
  }
}

TEST_F(H1SessionResponse, ThatHasBegunIsCutByALateRefusal) {
  // The body's rate is judged on each arrival: by then half an answer may be out.
  limits.min_body_rate = 1000;
  handlers.others_wait = true;
  client_sends(post(1'000'000));
  handler_does([](ScriptedHandler& handler) { handler.reads_body(); });
  handler_does([](ScriptedHandler& handler) { handler.begins(200); });
  client.received();
  passes(10'000);
  client_sends("b");
  expect_nothing();
  expect_gone();
}

TEST_F(H1SessionResponse, OfTheHandlersComesTooLateBehindARefusal) {
  // A client that takes nothing of its 408 keeps the exchange open; the app may answer meanwhile.
  client.takes(0);
  client_sends(post(10, "01"));
  handler_does([](ScriptedHandler& handler) { handler.reads_body(); });
  passes(limits.body_timeout_ms);
  handler_answers(200, "late");
  handler_does([](ScriptedHandler& handler) { handler.exchange().body_ready(); });
  client_takes_all();
  expect_refusal(408, "body-timeout");
  expect_goodbye();
}

TEST_F(H1SessionResponse, NeverEndsInsideAHandlersCall) {
  // finished() would pull the handler away under its own feet.
  for (const bool at_start : {false, true}) {
    restart();
    bool running_after = false;
    const ScriptedHandler::Script answer = [&](ScriptedHandler& handler) {
      handler.answers(200, "ok");
      running_after = handler.running();
    };
    handlers.at_start = at_start ? answer : nullptr;
    client_sends(get());
    if (!at_start) handler_does(answer);
    EXPECT_TRUE(running_after);
    EXPECT_EQ(handlers.finished, handlers.started);
    expect_response(ok("ok"));
  }
}

TEST_F(H1SessionResponse, IsOne) {
  // A second one would be taken for the answer to the client's next request.
  client_sends(get());
  handler_does([](ScriptedHandler& handler) { handler.begins(200); });
  EXPECT_DEATH(handlers.last().refuses(502, "again"), "responding_");
}

// ---- tunnels ----

constexpr std::string_view kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n";

TEST_F(H1SessionResponse, MayOpenATunnel) {
  // Bytes flow raw both ways, those too that came with the request.
  client_sends(get() + "early");
  handler_does([](ScriptedHandler& handler) { handler.opens_tunnel(); });
  expect_response(kSwitched);
  ScriptedHandler& handler = handlers.last();
  EXPECT_EQ(handler.reads_body(), "early");
  EXPECT_EQ(handler.last_read(), BodyRead::Status::Pending);
  client_sends("GET / HTTP/1.1\r\n");
  EXPECT_EQ(handler.body_news(), 1);
  EXPECT_EQ(handler.reads_body(3), "GET / HTTP/1.1\r\n");
  handler_does([](ScriptedHandler& h) { h.streams("raw"); });
  expect_response("raw");
  expect_open();
}

TEST_F(H1SessionResponse, ThatIsATunnelEndsInBothDirectionsApart) {
  client_sends(get());
  handler_does([](ScriptedHandler& handler) { handler.opens_tunnel(); });
  ScriptedHandler& handler = handlers.last();
  handler.reads_body();
  client_half_closes();
  EXPECT_EQ(handler.body_news(), 1);
  EXPECT_EQ(handler.reads_body(), "");
  EXPECT_EQ(handler.last_read(), BodyRead::Status::End);
  handler_does([](ScriptedHandler& h) { h.streams("last words"); });
  handler_does([](ScriptedHandler& h) { h.ends(); });
  expect_response(std::string(kSwitched) + "last words");
  expect_gone();
}

TEST_F(H1SessionResponse, ThatIsATunnelEndsWithTheAppsSide) {
  client_sends(get());
  handler_does([](ScriptedHandler& handler) { handler.opens_tunnel(); });
  handler_does([](ScriptedHandler& handler) { handler.ends(); });
  expect_response(kSwitched);
  expect_goodbye();
}

TEST_F(H1SessionResponse, ThatIsATunnelTakesAheadOnlySoMuch) {
  client_sends(get());
  handler_does([](ScriptedHandler& handler) { handler.opens_tunnel(); });
  const std::string bytes(std::size_t{200} * 1024, 't');
  client_sends(bytes);
  EXPECT_EQ(client.unread_bytes(), bytes.size() - 64 * 1024);
  std::string got;
  while (got.size() < bytes.size()) {
    handler_does([&](ScriptedHandler& handler) { got += handler.reads_body(); });
  }
  EXPECT_EQ(got, bytes);
}

}  // namespace
}  // namespace weir::front
