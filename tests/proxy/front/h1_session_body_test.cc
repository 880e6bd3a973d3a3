// A request's body on its way from the client to the handler.
#include "tests/proxy/front/h1_session_fixture.h"

namespace weir::front {
namespace {

using Read = BodyRead::Status;
using test::ScriptedHandler;

class H1SessionBody : public H1SessionTest {
 protected:
  // The handler takes what there is of the body, in start() and whenever there is news of it, and
  // answers with all of it at its end.
  void handler_echoes(std::size_t buffer_bytes = 1024) {
    const ScriptedHandler::Script read = [this, buffer_bytes](ScriptedHandler& handler) {
      body_ += handler.reads_body(buffer_bytes);
      if (handler.last_read() == Read::End) handler.answers(200, std::exchange(body_, {}));
      if (handler.last_read() == Read::Failed) handler.refuses(502, "body-failed");
    };
    handlers.at_start = handlers.at_body_news = read;
  }

  std::string body_;
};

TEST_F(H1SessionBody, MayBeReadWithinStart) {
  // However head and body are cut into packets, and however small the reader's buffer is: what has
  // come with the head is there at once, what comes later is told of.
  const std::string requests[] = {post(10, "0123456789"),
                                  post_chunked("4\r\n0123\r\n6;x=y\r\n456789\r\n0\r\n\r\n")};
  for (const std::string& request : requests) {
    for (const std::size_t buffer_bytes : {1, 3, 1024}) {
      for (std::size_t cut = 1; cut <= request.size(); ++cut) {
        handler_echoes(buffer_bytes);
        client_sends(request.substr(0, cut));
        client_sends(request.substr(cut));
        expect_response(ok("0123456789"));
      }
    }
  }
  EXPECT_EQ(handlers.started, handlers.finished);
  expect_open();
}

TEST_F(H1SessionBody, ReadWithinStartLeavesTheNextRequestAlone) {
  // Requests with bodies in one packet, each read to its end while its head still lies where it was
  // received: none takes a byte of another.
  handler_echoes();
  client_sends(post(5, "first") + get("/none") + post(6, "second") +
               post_chunked("5\r\nthird\r\n0\r\n\r\n") + get("/last"));
  expect_response(ok("first") + ok("") + ok("second") + ok("third") + ok(""));
  expect_open();
}

TEST_F(H1SessionBody, AHeadStaysReadableWhileItsBodyIsRead) {
  // Of pipelined requests too, whose heads lie in front of their bodies in the session's own
  // buffer.
  std::string seen;
  handlers.at_start = [&](ScriptedHandler& handler) {
    const http::RequestHead& head = handler.exchange().request();
    const std::string body = handler.reads_body();
    seen += std::string(head.target) + "=" + std::string(head.value(http::FieldId::Host)) + body;
    seen += ' ';
  };
  client_sends(get("/slow"));
  client_sends(post(3, "one") + get("/last"));
  handler_answers(200);
  EXPECT_EQ(seen, "/slow=a.test /up=a.testone ");
  handler_answers(200);
  EXPECT_EQ(seen, "/slow=a.test /up=a.testone /last=a.test ");
  handler_answers(200);
  expect_response(ok("") + ok("") + ok(""));
}

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

TEST_F(H1SessionBody, IsAskedForOnlyWhenSomebodyWantsIt) {
  // Expect: 100-continue is answered once, when a reader first has to wait; within start() too.
  for (const bool at_start : {false, true}) {
    if (at_start) handler_echoes();
    client_sends(post(4, "", "Expect: 100-continue\r\n"));
    if (!at_start) {
      expect_nothing();
      handler_echoes();
      handler_does(handlers.at_start);
    }
    expect_response(kContinue);
    client_sends("bo");
    client_sends("dy");
    expect_response(ok("body"));
    handlers.at_start = nullptr;
  }
}

TEST_F(H1SessionBody, IsNotAskedForInVain) {
  // It came by itself, or the answer has begun, or nobody wants it.
  handler_echoes();
  client_sends(post(4, "body", "Expect: 100-continue\r\n"));
  expect_response(ok("body"));
  handlers.at_start = [](ScriptedHandler& handler) {
    handler.begins(200);
    handler.reads_body();
    handler.ends();
  };
  client_sends(post(4, "", "Expect: 100-continue\r\n"));
  expect_response(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n");
  expect_goodbye();  // the body may come or not: nobody can tell where the next request begins
}

TEST_F(H1SessionBody, TellsOfNewsOnlyToWhoAsked) {
  // A handler that has not run dry is not woken, one that has is told once.
  client_sends(post(100'000, "0123"));
  ScriptedHandler& handler = handlers.last();
  client_sends("4567");
  EXPECT_EQ(handler.body_news(), 0);
  EXPECT_EQ(handler.reads_some(3), "012");
  client_sends("89");
  EXPECT_EQ(handler.body_news(), 0);
  EXPECT_EQ(handler.reads_body(), "3456789");
  EXPECT_EQ(handler.last_read(), Read::Pending);
  client_sends("a");
  client_sends("b");
  EXPECT_EQ(handler.body_news(), 1);
  EXPECT_EQ(handler.reads_body(), "ab");
}

TEST_F(H1SessionBody, ThatNobodyReadsHoldsTheClientBack) {
  // Only so much is taken ahead, with one read a turn; each read by the handler makes room.
  const std::string body(std::size_t{300} * 1024, 'u');
  client_sends(post(body.size()));
  client_sends(body);
  EXPECT_EQ(client.unread_bytes(), body.size() - 64 * 1024);
  EXPECT_FALSE(client.is_read());
  std::string got;
  while (got.size() < body.size()) {
    handler_does([&](ScriptedHandler& handler) { got += handler.reads_some(10'000); });
    EXPECT_LE(body.size() - client.unread_bytes() - got.size(), 64U * 1024);
  }
  EXPECT_EQ(got, body);
  handler_answers(200);
  expect_response(ok(""));
}

TEST_F(H1SessionBody, ThatIsAnnouncedTooLongIsRefusedUnseen) {
  limits.max_body = 10;
  client_sends(post(11));
  expect_refusal(413, "max-body");
  expect_goodbye();
  EXPECT_EQ(handlers.started, 0);
}

}  // namespace
}  // namespace weir::front
