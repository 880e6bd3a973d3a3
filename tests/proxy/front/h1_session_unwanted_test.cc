// What a client still sends of a body that nobody reads any more.
#include "tests/proxy/front/h1_session_fixture.h"

namespace weir::front {
namespace {

using test::ScriptedHandler;

constexpr std::size_t kMiB = std::size_t{1024} * 1024;

class H1SessionUnwanted : public H1SessionTest {
 protected:
  // It has answered, and reads no more of the body.
  void app_ends_early(std::string_view body) {
    handler_does([body](ScriptedHandler& handler) {
      handler.answers(200, body);
      handler.exchange().drop_body();
    });
  }
};

TEST_F(H1SessionUnwanted, WhatIsLeftOfABodyIsDroppedForAWhile) {
  // The app has answered before it had all: many clients read nothing until they have sent it all.
  struct Case {
    const char* what;
    std::size_t bytes;  // that come each time
    std::int64_t every_ms;
    std::int64_t open_ms;  // for so long
  };
  const Case cases[] = {
      {"silence", 0, 1'000, 5'000},
      {"a drip", 1, 4'000, 30'000},
      {"a body of 64 MiB", 8 * kMiB, 100, 800},
  };
  for (const Case& c : cases) {
    client = {};
    spent = 0;
    client_sends(post(200 * kMiB, "begin"));
    handler_answers(413, "no");
    EXPECT_EQ(client.received(),
              "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        << c.what;
    EXPECT_EQ(spent, 1) << c.what;
    std::int64_t open_ms = 0;
    while (!client.gone() && open_ms < 60'000) {
      passes(c.every_ms);
      open_ms += c.every_ms;
      if (!client.gone()) client_sends(std::string(c.bytes, 'b'));
    }
    EXPECT_NEAR(static_cast<double>(open_ms), static_cast<double>(c.open_ms), 2'000.0) << c.what;
    session_.reset();
  }
}

TEST_F(H1SessionUnwanted, WhatIsLeftOfABodyIsDroppedWhileItsAnswerIsSent) {
  // The app has ended, and the client reads nothing of a large answer until it has sent all.
  const std::string body(kMiB, 'a');
  client.takes(1000);
  client_sends(post(8 * kMiB, std::string(70'000, 'b')));
  app_ends_early(body);
  client_sends(std::string(8 * kMiB - 70'000, 'b'));
  EXPECT_EQ(client.unread_bytes(), 0U);
  expect_open();
  client_takes_all();
  expect_response("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\nConnection: close\r\n\r\n" + body);
  expect_goodbye();
}

TEST_F(H1SessionUnwanted, NoMoreOfABodyIsDroppedThanSixtyFourMebibytes) {
  client.takes(10);
  client_sends(post(1000 * kMiB, "begin"));
  app_ends_early(std::string(1000, 'a'));
  for (int i = 0; i < 10; ++i) client_sends(std::string(8 * kMiB, 'b'));
  EXPECT_NEAR(static_cast<double>(client.unread_bytes()), 16.0 * kMiB, kMiB);
  expect_open();
  // It is not read any more, and cut when it takes nothing for send_timeout.
  passes(limits.send_timeout_ms);
  expect_gone();
}

TEST_F(H1SessionUnwanted, ABodyThatNobodyReadsCostsNoKeepAliveWhereItIsHere) {
  // The app had ended before it had all, and the rest had come meanwhile.
  client_sends(post(10, "0123456789") + get("/next"));
  handler_does([](ScriptedHandler& handler) {
    handler.exchange().drop_body();
    handler.answers(200, "body");
  });
  expect_response(ok("body"));
  handler_answers(200, "next");
  expect_response(ok("next"));
}

TEST_F(H1SessionUnwanted, WhatIsDroppedIsNeverARequest) {
  client.takes(10);
  client_sends(post(70'000, "begin"));
  app_ends_early("body");
  client_sends(std::string(70'000 - 5, 'b') + get("/smuggled"));
  client_takes_all();
  client_sends(get("/smuggled"));
  EXPECT_EQ(handlers.started, 1);
  expect_goodbye();
}

TEST_F(H1SessionUnwanted, WhoEndsMeanwhileHasTheAnswerStill) {
  client.takes(10);
  client_sends(post(70'000, "begin"));
  app_ends_early("body");
  client_sends(std::string(1000, 'b'));
  client_half_closes();
  client_takes_all();
  expect_response("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody");
  expect_gone();
}

TEST_F(H1SessionUnwanted, WhoResetsMeanwhileIsGone) {
  client.takes(10);
  client_sends(post(70'000, "begin"));
  app_ends_early("body");
  client_resets();
  expect_gone();
}

TEST_F(H1SessionUnwanted, ADrainLeavesTimeToReadTheAnswer) {
  // What was dropped before does not count against what may still come behind it.
  client.takes(10);
  client_sends(post(100 * kMiB, "begin"));
  app_ends_early("body");
  client_sends(std::string(6 * kMiB, 'b'));
  server_drains();
  client_takes_all();
  client_sends(std::string(kMiB / 2, 'b'));
  expect_goodbye();
  client_sends(std::string(kMiB, 'b'));
  expect_gone();
}

}  // namespace
}  // namespace weir::front
