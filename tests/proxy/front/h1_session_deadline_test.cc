// How long a session waits for its client, in each of its waits.
#include "tests/proxy/front/h1_session_fixture.h"

namespace weir::front {
namespace {

using Read = BodyRead::Status;
using test::ScriptedHandler;

constexpr std::int64_t kHour = 3'600'000;

class H1SessionDeadline : public H1SessionTest {
 protected:
  void handler_reads_body() {
    handler_does([](ScriptedHandler& handler) { handler.reads_body(); });
  }
  // Sends ahead as much as a session takes while it serves a request.
  void client_sends_more_than_is_taken() { client_sends(std::string(70'000, 'G')); }
};

TEST_F(H1SessionDeadline, AnIdleClientIsLeftWithoutAWord) {
  // keepalive_timeout, from the connection's beginning and from each answer's end.
  connect();
  passes(limits.keepalive_timeout_ms - 1);
  client_sends(get());
  handler_answers(200);
  expect_response(ok(""));
  passes(limits.keepalive_timeout_ms - 1);
  expect_open();
  passes(1);
  expect_nothing();
  expect_gone();
}

TEST_F(H1SessionDeadline, AHeadHasOneTimeForAllOfIt) {
  // header_timeout counts from the first byte: who drips does not escape it.
  client_sends("GET / HTTP/1.1\r\nX: ");
  for (std::int64_t ms = 0; ms < limits.header_timeout_ms - 1000; ms += 1000) {
    passes(1000);
    client_sends("a");
  }
  passes(999);
  expect_open();
  passes(1);
  expect_refusal(408, "header-timeout");
  expect_goodbye();
  EXPECT_EQ(handlers.started, 0);
}

TEST_F(H1SessionDeadline, AHeadThatCameInTimeIsNotHeldAgainstItsAnswer) {
  // Nor is the time that the client was idle before.
  client_sends("GET / HTTP/1.1\r\n");
  passes(limits.header_timeout_ms - 1);
  client_sends("Host: a.test\r\n\r\n");
  passes(10 * kHour);
  expect_open();
  handler_answers(200);
  expect_response(ok(""));
}

TEST_F(H1SessionDeadline, ABodyMustGoOnComing) {
  // body_timeout is between bytes; the handler hears that it is over.
  client_sends(post(10, "01"));
  handler_reads_body();
  passes(limits.body_timeout_ms - 1);
  client_sends("2");
  handler_reads_body();
  passes(limits.body_timeout_ms - 1);
  expect_open();
  passes(1);
  expect_refusal(408, "body-timeout");
  expect_goodbye();
  EXPECT_EQ(handlers.finished, 1);
}

TEST_F(H1SessionDeadline, ABodyThatNobodyAsksForIsNotLate) {
  // The app is slow, not the client.
  client_sends(post(10, "01"));
  passes(10 * kHour);
  handler_reads_body();
  client_sends("2");
  passes(10 * kHour);
  expect_open();
  expect_nothing();
}

TEST_F(H1SessionDeadline, ABodyMayStopOnceTheAnswerHasBegun) {
  // A 408 could only come too late.
  client_sends(post(10, "01"));
  handler_reads_body();
  handler_does([](ScriptedHandler& handler) { handler.begins(200); });
  passes(10 * kHour);
  expect_open();
}

TEST_F(H1SessionDeadline, ABodyMustComeAtItsRate) {
  // min_body_rate, judged after 10 s of waiting by what had come by then, while others wait.
  limits.min_body_rate = 100;
  handlers.others_wait = true;
  handlers.at_start = handlers.at_body_news = [](ScriptedHandler& h) { h.reads_body(); };
  struct Case {
    std::size_t bytes_per_second;
    int seconds;  // until it is refused; 60: never
  };
  for (const Case& c : {Case{0, 10}, Case{10, 10}, Case{99, 10}, Case{130, 60}, Case{5000, 60}}) {
    client = {};
    client_sends(post(1'000'000));
    int seconds = 0;
    while (seconds < 60 && !client.sees_end()) {
      expect_nothing();
      passes(1000);
      client_sends(std::string(c.bytes_per_second, 'b'));
      ++seconds;
    }
    EXPECT_EQ(seconds, c.seconds) << c.bytes_per_second;
    if (c.seconds < 60) expect_refusal(408, "body-rate");
    session_.reset();
  }
}

TEST_F(H1SessionDeadline, ASlowBodyIsRefusedOnlyOnceOthersWait) {
  // A client that sends slowly on purpose is nobody's concern while there is room for all.
  handlers.at_start = handlers.at_body_news = [](ScriptedHandler& h) { h.reads_body(); };
  for (const std::size_t bytes_per_second : {0U, 1U}) {
    handlers.others_wait = false;
    client = {};
    client_sends(post(1'000'000));
    for (int seconds = 0; seconds < 50; ++seconds) {
      passes(1000);
      client_sends(std::string(bytes_per_second, 'b'));
    }
    expect_nothing();
    handlers.others_wait = true;
    passes(1000);
    client_sends("b");
    expect_refusal(408, "body-rate");
    session_.reset();
  }
}

TEST_F(H1SessionDeadline, ASlowBodyIsRefusedAlsoOnceTheAnswerHasBegun) {
  // Its app reads on while it answers; all there is to do then is to cut.
  for (const std::size_t bytes_per_second : {0U, 1U}) {
    handlers.others_wait = false;
    handlers.at_body_news = [](ScriptedHandler& h) { h.reads_body(); };
    client = {};
    client_sends(post(1'000'000));
    handler_reads_body();
    handler_does([](ScriptedHandler& handler) { handler.begins(200); });
    for (int seconds = 0; seconds < 100; ++seconds) {
      passes(1000);
      client_sends(std::string(bytes_per_second, 'b'));
    }
    expect_open();
    handlers.others_wait = true;
    passes(1000);
    expect_gone();
    session_.reset();
  }
}

TEST_F(H1SessionDeadline, ASlowAppDoesNotLowerTheBodysRate) {
  // Only the waits for the client count.
  limits.min_body_rate = 100;
  handlers.others_wait = true;
  client_sends(post(1'000'000, std::string(500, 'b')));
  handler_reads_body();
  for (int i = 0; i < 20; ++i) {
    passes(1000);
    client_sends(std::string(200, 'b'));
    passes(kHour);  // the app takes its time
    handler_reads_body();
  }
  expect_open();
  expect_nothing();
}

TEST_F(H1SessionDeadline, WhoHasClosedItsHalfGetsItsAnswerUnlessItOnlyWaitsForAConnection) {
  // Most who close have left: they stay in no queue. What the app was sent it may answer.
  for (const bool queues : {false, true}) {
    client = {};
    client_sends(get());
    handler_does([&](ScriptedHandler& handler) { handler.waits_for_place(queues); });
    client_half_closes();
    passes(1999);
    expect_open();
    passes(1);
    if (queues) {
      expect_nothing();
      expect_gone();
      continue;
    }
    passes(50'000);
    handler_answers(200, "late");
    expect_response(ok("late"));
    expect_gone();
  }
}

TEST_F(H1SessionDeadline, WhoClosesItsHalfBeforeItsBodyIsThereIsRefusedAtOnce) {
  // Whoever waits for more of it need not: no more will come.
  client_sends(post(10, "01"));
  handler_does([](ScriptedHandler& handler) { EXPECT_FALSE(handler.exchange().body_gathered()); });
  client_half_closes();
  expect_refusal(400, "body");
  expect_gone();
}

TEST_F(H1SessionDeadline, AnAnswerThatHasBegunIsGivenToWhoHasClosedItsHalf) {
  client_sends(get());
  client_half_closes();
  passes(1999);
  handler_does([](ScriptedHandler& handler) { handler.begins(200); });
  passes(kHour);
  handler_does([](ScriptedHandler& handler) { handler.streams("late"); });
  handler_does([](ScriptedHandler& handler) { handler.ends(); });
  expect_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nlate\r\n0\r\n\r\n");
  expect_gone();
}

TEST_F(H1SessionDeadline, AClientThatIsNotReadIsLookedAt) {
  // It has sent ahead as much as is taken, so no event tells of its end.
  client_sends(get());
  client_sends_more_than_is_taken();
  EXPECT_FALSE(client.is_read());
  passes(kHour);
  expect_open();
  client_resets();
  expect_open();
  passes(2000);
  expect_gone();
}

TEST_F(H1SessionDeadline, AnUnreadClientThatHasClosedItsHalfStillGetsItsAnswer) {
  // Unless the answer has no end: then nobody reads it any more.
  for (const char* type : {"text/html", "text/event-stream"}) {
    const bool endless = std::string_view(type) == "text/event-stream";
    client = {};
    client_sends(get());
    handler_does(
        [&](ScriptedHandler& handler) { handler.begins(200, http::Framing::Chunked, 0, type); });
    client_sends_more_than_is_taken();
    client_half_closes();
    passes(kHour);
    if (endless) {
      expect_gone();
    } else {
      expect_open();
    }
    session_.reset();
  }
}

TEST_F(H1SessionDeadline, AnEndlessAnswersEventsDoNotPutTheLookOff) {
  client_sends(get());
  handler_does([&](ScriptedHandler& handler) {
    handler.begins(200, http::Framing::Chunked, 0, "text/event-stream");
  });
  client_sends_more_than_is_taken();
  client_half_closes();
  for (int i = 0; i < 3 && session_; ++i) {
    passes(1000);
    if (session_) handler_does([](ScriptedHandler& handler) { handler.streams("event"); });
  }
  expect_gone();
}

TEST_F(H1SessionDeadline, AnEndlessAnswerIsBegunForNobodyWhoHasClosedItsHalf) {
  client_sends(get());
  client_half_closes();
  passes(3'000);
  handler_does([](ScriptedHandler& handler) {
    handler.begins(200, http::Framing::Chunked, 0, "text/event-stream");
  });
  expect_gone();
}

TEST_F(H1SessionDeadline, AfterAGoodbyeAClientHasTwoSecondsToHearIt) {
  client_sends(get("/", "Connection: close\r\n"));
  handler_answers(200);
  expect_goodbye();
  passes(1999);
  client_sends("still talking");
  expect_goodbye();
  passes(1);
  expect_gone();
  EXPECT_FALSE(client.was_reset());
}

TEST_F(H1SessionDeadline, AfterAGoodbyeAClientMaySayAMebibyte) {
  client_sends(get("/", "Connection: close\r\n"));
  handler_answers(200);
  client_sends(std::string(1024 * 1024, 'x'));
  expect_goodbye();
  client_sends("x");
  expect_gone();
}

TEST_F(H1SessionDeadline, AReaderThatTakesNothingIsCut) {
  // send_timeout is between bytes: each one taken buys another. What was sent may look whole by its
  // end alone, so the cut is a reset.
  client.takes(0);
  client_sends(get());
  handler_answers(200, "body");
  passes(limits.send_timeout_ms - 1);
  expect_open();
  client_takes(1);
  expect_response("H");
  passes(limits.send_timeout_ms - 1);
  expect_open();
  passes(1);
  expect_gone();
  EXPECT_TRUE(client.was_reset());
}

TEST_F(H1SessionDeadline, AReaderThatCatchesUpIsForgiven) {
  // A slow answer of the app's later on is not the client's fault.
  client.takes(10);
  client_sends(get());
  handler_does([](ScriptedHandler& handler) { handler.begins(200); });
  passes(limits.send_timeout_ms - 1);
  client_takes_all();
  passes(kHour);
  expect_open();
  handler_does([](ScriptedHandler& handler) { handler.ends(); });
  expect_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

TEST_F(H1SessionDeadline, ADrainGivesANewConnectionHalfASecond) {
  // It was perhaps accepted a moment ago, and its first request is under way.
  connect();
  server_drains();
  passes(499);
  expect_open();
  passes(1);
  expect_nothing();
  expect_gone();
}

TEST_F(H1SessionDeadline, ASilentAppIsNotTheSessionsAffair) {
  // While a whole request is served nothing of the session's own runs out, with or without a
  // tunnel.
  for (const bool tunnel : {false, true}) {
    client = {};
    client_sends(get());
    if (tunnel) handler_does([](ScriptedHandler& handler) { handler.opens_tunnel(); });
    if (tunnel) handler_reads_body();
    passes(100 * kHour);
    expect_open();
    session_.reset();
  }
}

}  // namespace
}  // namespace weir::front
