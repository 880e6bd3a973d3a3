// What may befall a session, in each of its phases: the client's half-close, its reset, the
// worker's drain, and the cut that ends it all.
#include "tests/proxy/front/h1_session_fixture.h"

namespace weir::front {
namespace {

using Read = BodyRead::Status;
using test::ScriptedHandler;

enum class Phase {
  New,        // connected, no request yet
  Kept,       // between requests
  Idle,       // the same, for so long that no request is under way
  Head,       // part of a head has come
  Waiting,    // a whole request, no answer yet
  Body,       // the handler waits for the request's body
  Sending,    // the client does not take the answer
  Streaming,  // the answer has begun and waits for the app
  Endless,    // the same, of a stream that never ends
  Tunnel,
  Goodbye,  // told the client that this was all
};
enum class Event { HalfClose, Reset, Drain, Cut };
enum class End { Open, Goodbye, Gone };

constexpr Phase kPhases[] = {Phase::New,     Phase::Kept,   Phase::Idle,    Phase::Head,
                             Phase::Waiting, Phase::Body,   Phase::Sending, Phase::Streaming,
                             Phase::Endless, Phase::Tunnel, Phase::Goodbye};

class H1SessionEnd : public H1SessionTest {
 protected:
  void bring_to(Phase phase) {
    connect();
    switch (phase) {
      case Phase::New:
        return;
      case Phase::Kept:
        client_sends(get());
        handler_answers(200);
        break;
      case Phase::Idle:
        client_sends(get());
        handler_answers(200);
        client.received();
        return passes(500);
      case Phase::Head:
        return client_sends("GET / HT");
      case Phase::Waiting:
        return client_sends(get());
      case Phase::Body:
        client_sends(post(10, "01"));
        return handler_does([](ScriptedHandler& handler) { handler.reads_body(); });
      case Phase::Sending:
        client.takes(10);
        client_sends(get());
        handler_answers(200, "body");
        break;
      case Phase::Streaming:
        client_sends(get());
        handler_does([](ScriptedHandler& handler) { handler.begins(200); });
        break;
      case Phase::Endless:
        client_sends(get());
        handler_does([](ScriptedHandler& handler) {
          handler.begins(200, http::Framing::Chunked, 0, "text/event-stream");
        });
        break;
      case Phase::Tunnel:
        client_sends(get());
        handler_does([](ScriptedHandler& handler) { handler.opens_tunnel(); });
        handler_does([](ScriptedHandler& handler) { handler.reads_body(); });
        break;
      case Phase::Goodbye:
        client_sends(get("/", "Connection: close\r\n"));
        handler_answers(200);
        break;
    }
    client.received();
  }
  void befall(Event event) {
    switch (event) {
      case Event::HalfClose:
        return client_half_closes();
      case Event::Reset:
        return client_resets();
      case Event::Drain:
        return server_drains();
      case Event::Cut:
        session_.reset();
    }
  }
  End end() const {
    if (client.gone()) return End::Gone;
    return client.sees_end() ? End::Goodbye : End::Open;
  }
  static End expected(Phase phase, Event event) {
    if (event == Event::Reset || event == Event::Cut) return End::Gone;
    const bool drain = event == Event::Drain;
    switch (phase) {
      case Phase::New:
      case Phase::Kept:
        return drain ? End::Open : End::Gone;  // its next request may be under way
      case Phase::Idle:
        return End::Gone;
      case Phase::Head:
        return drain ? End::Open : End::Gone;  // it will never be whole
      case Phase::Waiting:
      case Phase::Body:
      case Phase::Sending:
      case Phase::Streaming:
        return End::Open;
      case Phase::Endless:
        return End::Gone;  // nobody half-closes and then reads on; and a drain has an end
      case Phase::Tunnel:
        return drain ? End::Gone : End::Open;  // one direction may end before the other
      case Phase::Goodbye:
        return drain ? End::Goodbye : End::Gone;
    }
    return End::Open;
  }
};

TEST_F(H1SessionEnd, IsThatOfItsPhase) {
  for (const Phase phase : kPhases) {
    for (const Event event : {Event::HalfClose, Event::Reset, Event::Drain, Event::Cut}) {
      SCOPED_TRACE(testing::Message() << "phase " << int(phase) << " event " << int(event));
      client = {};
      context_.draining = false;
      bring_to(phase);
      befall(event);
      expect_nothing();
      EXPECT_EQ(end(), expected(phase, event));
      session_.reset();
      EXPECT_EQ(handlers.started, handlers.finished) << "a handler was not told";
    }
  }
}

TEST_F(H1SessionEnd, ComesWithTheAnswerOnceDraining) {
  // Whatever has begun is served to its end, and a head that is still to be written says that it is
  // the last.
  const std::string last = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
  const std::string begun = "0\r\n\r\n";
  for (const Phase phase :
       {Phase::New, Phase::Head, Phase::Waiting, Phase::Body, Phase::Sending, Phase::Streaming}) {
    SCOPED_TRACE(testing::Message() << "phase " << int(phase));
    client = {};
    context_.draining = false;
    bring_to(phase);
    server_drains();
    if (phase == Phase::New) client_sends(get());
    if (phase == Phase::Head) client_sends("TP/1.1\r\nHost: a.test\r\n\r\n");
    if (phase == Phase::Sending) {
      client_takes_all();
      expect_response(ok("body").substr(10));
    } else if (phase == Phase::Streaming) {
      handler_does([](ScriptedHandler& handler) { handler.ends(); });
      expect_response(begun);
    } else {
      handler_answers(200, "ok");
      expect_response(last);
    }
    expect_goodbye();
    client_half_closes();
    expect_gone();
  }
}

TEST_F(H1SessionEnd, ADrainServesWhatHasArrived) {
  // A request that lies in the socket when the worker is told to go is not turned away.
  connect();
  handlers.at_start = [](ScriptedHandler& handler) { handler.answers(200, "ok"); };
  client_sends(get());
  expect_response(ok("ok"));
  client.sends(get());  // not told of yet
  server_drains();
  expect_response("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  expect_goodbye();
}

TEST_F(H1SessionEnd, ADrainDropsWhatIsBehindTheLastAnswer) {
  client_sends(get("/one") + get("/two"));
  server_drains();
  handler_answers(200, "ok");
  expect_response("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  expect_goodbye();
  EXPECT_EQ(handlers.started, 1);
}

TEST_F(H1SessionEnd, AHalfCloseCutsABodyForItsReader) {
  // Who waits for it hears of it and reads that it failed; the answer still finds its way.
  bring_to(Phase::Body);
  client_half_closes();
  ScriptedHandler& handler = handlers.last();
  EXPECT_EQ(handler.body_news(), 1);
  EXPECT_EQ(handler.reads_body(), "");
  EXPECT_EQ(handler.last_read(), Read::Failed);
  handler_does([](ScriptedHandler& h) { h.refuses(400, "body-cut"); });
  expect_refusal(400, "body-cut");
  expect_gone();
}

TEST_F(H1SessionEnd, AHalfCloseBehindAWholeBodyCutsNothing) {
  client_sends(post(4, "body"));
  client_half_closes();
  ScriptedHandler& handler = handlers.last();
  EXPECT_EQ(handler.reads_body(), "body");
  EXPECT_EQ(handler.last_read(), Read::End);
  handler_answers(200, "ok");
  expect_response(ok("ok"));
  expect_gone();
}

TEST_F(H1SessionEnd, AHalfClosedClientGetsEveryAnswerItAskedFor) {
  client_sends(get("/one") + get("/two"));
  client_half_closes();
  handler_answers(200, "one");
  handler_answers(200, "two");
  expect_response(ok("one") + ok("two"));
  expect_gone();
}

TEST_F(H1SessionEnd, AResetIsSeenWhenWritingToo) {
  // The client is gone between two events; the handler is told once its own call has returned.
  client_sends(get());
  client.resets();
  bool told_inside = true;
  handler_does([&](ScriptedHandler& handler) {
    handler.answers(200, "ok");
    told_inside = !handler.running();
  });
  EXPECT_FALSE(told_inside);
  expect_gone();
}

TEST_F(H1SessionEnd, IsOnceAndForAll) {
  // Whatever the handler says after the client has gone, before it is told, changes nothing.
  client_sends(get());
  client.resets();
  handler_does([&](ScriptedHandler& handler) {
    handler.begins(200);
    handler.streams("more");
    handler.ends();
    handler.exchange().body_ready();
  });
  expect_nothing();
  expect_gone();
}

}  // namespace
}  // namespace weir::front
