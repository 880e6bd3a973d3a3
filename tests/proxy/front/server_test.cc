#include "proxy/front/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"
#include "tests/support/scripted_handler.h"

namespace weir::front {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

class ServerTest : public testing::Test {
 protected:
  ServerOptions options() {
    ServerOptions out;
    out.limits.connections = 2;
    out.clients = &clients;
    return out;
  }
  // The other end of a connection that was just accepted.
  Fd connect(std::string_view sends = {}) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    EXPECT_EQ(send(ends[1], sends.data(), sends.size(), 0), static_cast<ssize_t>(sends.size()));
    server.accept(Fd(ends[0]), *SocketAddress::unix_path("/client"));
    loop.turn();
    return Fd(ends[1]);
  }
  // What has come, and how: "…" open, "…|" ended.
  static std::string received(const Fd& client) {
    std::string all;
    std::array<char, 4096> buffer;
    while (true) {
      const ssize_t got = recv(client.get(), buffer.data(), buffer.size(), 0);
      if (got < 0) return all;
      if (got == 0) return all + "|";
      all.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
  void drain() {
    server.drain([this] { ++emptied; });
    loop.turn();
  }
  void passes(std::int64_t ms) { test::advance_and_turn(loop, clock, ms); }

  test::FakeClock clock;
  EventLoop loop{clock};
  test::ScriptedHandlers handlers;
  OpenClients clients;
  int emptied = 0;
  Server server{loop, options(), handlers};
};

TEST_F(ServerTest, ServesWhoConnects) {
  const Fd client = connect(kGet);
  EXPECT_EQ(clients.count(), 1U);
  handlers.last().answers(200, "ok");
  EXPECT_EQ(received(client), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  server.close_all();
  EXPECT_EQ(clients.count(), 0U);
  EXPECT_EQ(received(client), "|");
}

TEST_F(ServerTest, ManyWhoAskInOneTurnGetEachTheirOwnAnswer) {
  // More than the buffer holds in which all of them are received.
  ServerOptions many = options();
  many.limits.connections = 1000;
  Server crowded{loop, many, handlers};
  handlers.at_start = [](test::ScriptedHandler& handler) {
    backends::EntryParts parts;
    parts.key = "k";
    parts.body = make_body(handler.exchange().request().target);
    handler.exchange().send_entry(backends::make_entry(std::move(parts)), {});
  };
  std::vector<Fd> talkers;
  for (int i = 0; i < 200; ++i) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    crowded.accept(Fd(ends[0]), *SocketAddress::unix_path("/client"));
    talkers.emplace_back(ends[1]);
  }
  loop.turn();
  const std::string padding(400, 'x');
  const auto path = [&](std::size_t i) { return "/" + std::to_string(i) + padding; };
  for (std::size_t i = 0; i < talkers.size(); ++i) {
    const std::string request = "GET " + path(i) + " HTTP/1.1\r\nHost: a.test\r\n\r\n";
    send(talkers[i].get(), request.data(), request.size(), 0);
  }
  while (handlers.finished < 200) loop.turn();
  for (std::size_t i = 0; i < talkers.size(); ++i) {
    EXPECT_EQ(received(talkers[i]), "HTTP/1.1 200 OK\r\n\r\n" + path(i));
  }
  crowded.close_all();
}

TEST_F(ServerTest, TurnsAwayWhoIsTooMany) {
  // With a word, and without a session; a place that is free again is given again.
  Fd first = connect();
  const Fd second = connect();
  const Fd third = connect(kGet);
  const std::string told = received(third);
  EXPECT_TRUE(told.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << told;
  EXPECT_TRUE(told.ends_with("\r\n\r\n503 Service Unavailable\ndetail=connections|")) << told;
  EXPECT_EQ(clients.count(), 2U);
  first = Fd();
  loop.turn();
  EXPECT_EQ(clients.count(), 1U);
  const Fd fourth = connect(kGet);
  EXPECT_EQ(handlers.started, 1);
  server.close_all();
}

TEST_F(ServerTest, EndsWhoOnlyGoesOnTalkingRatherThanTurnSomebodyAway) {
  const Fd talker = connect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbody");
  handlers.last().answers(413, "no");
  loop.turn();
  const Fd second = connect();
  const Fd third = connect(kGet);
  handlers.last().answers(200, "ok");
  EXPECT_EQ(received(third), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(clients.count(), 2U);
  EXPECT_EQ(received(second), "") << "it is not the one who has to go";
}

TEST_F(ServerTest, EndsWhoOnlyGoesOnTalkingToAnotherLoopAsWell) {
  EventLoop other_loop{clock};
  Server other{other_loop, options(), handlers};
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  const Fd third(ends[1]);
  ASSERT_EQ(send(third.get(), kGet.data(), kGet.size(), 0), static_cast<ssize_t>(kGet.size()));
  const Fd talker = connect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbody");
  handlers.last().answers(413, "no");
  loop.turn();
  received(talker);
  const Fd second = connect();
  other.accept(Fd(ends[0]), *SocketAddress::unix_path("/client"));
  other_loop.turn();
  handlers.last().answers(200, "ok");
  EXPECT_EQ(received(third), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  loop.turn();
  EXPECT_EQ(received(talker), "|");
  EXPECT_EQ(clients.count(), 2U);
  EXPECT_EQ(received(second), "") << "it is not the one who has to go";
  other.close_all();
}

TEST_F(ServerTest, WhoEndsByItselfWhileHeIsToldToMakesRoomOnce) {
  // Another one who is spent by then is not ended in his stead, and nobody makes room who has gone.
  const std::string_view post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbody";
  EventLoop other_loop{clock};
  Server other{other_loop, options(), handlers};
  const auto enters_other = [&] {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    other.accept(Fd(ends[0]), *SocketAddress::unix_path("/client"));
    return Fd(ends[1]);
  };
  Fd first = connect(post);
  handlers.last().answers(413, "no");
  loop.turn();
  const Fd second = connect();
  // In one turn: the first closes, the second becomes spent, and the first is told, from another
  // thread, to make room.
  first = Fd();
  handlers.at_start = [](test::ScriptedHandler& handler) { handler.answers(413, "no"); };
  ASSERT_EQ(send(second.get(), post.data(), post.size(), 0), static_cast<ssize_t>(post.size()));
  Fd third;
  std::thread([&] { third = enters_other(); }).join();
  loop.turn();
  EXPECT_EQ(clients.count(), 2U);
  // The second is spent now, and there is room for one, once.
  const Fd fourth = enters_other();
  const Fd fifth = enters_other();
  EXPECT_TRUE(received(fifth).starts_with("HTTP/1.1 503 "));
  loop.turn();
  EXPECT_EQ(clients.count(), 2U);
  other.close_all();
}

TEST_F(ServerTest, NoOtherWhoIsSpentEndsForOneWhoHasEndedByItself) {
  // The first is told to make room and closes in the same turn; the second was spent by then.
  handlers.at_start = [](test::ScriptedHandler& handler) { handler.answers(413, "no"); };
  const std::string_view post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbody";
  Fd first = connect(post);
  const Fd second = connect(post);
  first = Fd();
  std::thread([&] { EXPECT_TRUE(clients.enter(2)); }).join();
  loop.turn();
  EXPECT_EQ(clients.count(), 2U) << "there was room already";
  EXPECT_TRUE(clients.enter(2)) << "the second makes room for the next";
  EXPECT_EQ(clients.count(), 3U);
  loop.turn();
  EXPECT_EQ(clients.count(), 2U);
  EXPECT_FALSE(clients.enter(2));
  clients.leave();
  clients.leave();
}

TEST_F(ServerTest, WhoHasGoneMakesNoRoom) {
  // One that was spent and has left is not told to: the next is turned away.
  Fd talker = connect("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbody");
  handlers.last().answers(413, "no");
  loop.turn();
  talker = Fd();
  loop.turn();
  const Fd first = connect();
  const Fd second = connect();
  EXPECT_TRUE(received(connect(kGet)).starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(clients.count(), 2U);
}

TEST_F(ServerTest, TellsEachHandlerWhenItClosesAll) {
  const Fd first = connect(kGet);
  const Fd second = connect(kGet);
  EXPECT_EQ(handlers.started, 2);
  server.close_all();
  EXPECT_EQ(handlers.finished, 2);
}

TEST_F(ServerTest, IsDrainedWhenItsLastSessionHasEnded) {
  // An idle one ends at once, a busy one after its answer and its goodbye; once it is told.
  const Fd idle = connect(kGet);
  handlers.last().answers(200);
  received(idle);
  loop.turn();
  passes(500);
  Fd busy = connect(kGet);
  drain();
  EXPECT_EQ(received(idle), "|");
  EXPECT_EQ(emptied, 0);
  handlers.last().answers(200, "ok");
  loop.turn();
  EXPECT_EQ(received(busy), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok|");
  EXPECT_EQ(emptied, 0);
  busy = Fd();
  loop.turn();
  EXPECT_EQ(emptied, 1);
  EXPECT_EQ(clients.count(), 0U);
}

TEST_F(ServerTest, WhoKeepsAskingIsAnsweredOnceMoreWhileItDrains) {
  const Fd asks = connect(kGet);
  handlers.last().answers(200);
  received(asks);
  const Fd asks_no_more = connect(kGet);
  handlers.last().answers(200);
  received(asks_no_more);
  loop.turn();
  drain();
  ASSERT_EQ(send(asks.get(), kGet.data(), kGet.size(), 0), static_cast<ssize_t>(kGet.size()));
  loop.turn();
  handlers.last().answers(200, "ok");
  loop.turn();
  EXPECT_EQ(received(asks), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok|");
  EXPECT_EQ(received(asks_no_more), "");
  passes(2000);
  EXPECT_EQ(received(asks_no_more), "|");
}

TEST_F(ServerTest, IsDrainedAtOnceWithoutSessions) {
  drain();
  EXPECT_EQ(emptied, 1);
}

TEST_F(ServerTest, StillServesWhoComesWhileItDrains) {
  // The kernel had accepted it before the listener was closed.
  const Fd waiting = connect();
  drain();
  const Fd late = connect(kGet);
  handlers.last().answers(200, "ok");
  loop.turn();
  EXPECT_EQ(received(late), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok|");
  passes(2000);
  EXPECT_EQ(received(waiting), "|");
  EXPECT_EQ(emptied, 1);
}

TEST_F(ServerTest, IsDrainedByACutToo) {
  // drain_timeout: what is left is cut, and that was all.
  const Fd busy = connect(kGet);
  drain();
  server.close_all();
  EXPECT_EQ(emptied, 1);
  EXPECT_EQ(handlers.finished, 1);
}

}  // namespace
}  // namespace weir::front
