// Upgrades and the bound on connections to the app.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/proxy/upstream_client.h"
#include "tests/proxy/upstream_origin.h"

namespace weir::upstream::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(TunnelPlaces, DoesNotTakeOrdinaryConnections) {
  // Shows that open tunnels neither use up max_connections nor are closed for the sake of others.
  App app([](AppConnection& connection) {
    for (std::string head; !(head = connection.read_head()).empty();) {
      if (head.find("Upgrade") == head.npos) {
        connection.send(ok("x"));
        continue;
      }
      connection.send(kSwitch);
      connection.send(connection.read_exactly(4));
    }
  });
  conf::Upstream config = upstream_of({app.url()});
  config.max_connections = 1;
  Client client(config);
  Recorder tunnels[3];
  for (Recorder& tunnel : tunnels) {
    client.start(tunnel, websocket());
    tunnel.await([&] { return tunnel.head.has_value(); });
  }
  for (int i = 0; i < 5; ++i) {
    Recorder recorder;
    EXPECT_EQ(client.fetch(recorder, request_of("POST")).result, FetchResult::Complete);
  }
  for (Recorder& tunnel : tunnels) {
    client.on_loop([&] { tunnel.fetch->tunnel()->send("ping"); });
    tunnel.await([&] { return tunnel.body == "ping"; });
    client.on_loop([&] { tunnel.fetch.reset(); });
  }
}

TEST(TunnelPlaces, WaitsForAPlaceUntilItsHandshakeIsOver) {
  // Shows that handshakes are bounded by max_connections like any fetch, in their order, and that
  // an idle connection gives way to one.
  std::promise<void> agreed;
  App app([&](AppConnection& connection) {
    for (std::string head; !(head = connection.read_head()).empty();) {
      if (head.find("Upgrade") == head.npos) {
        connection.send(ok("x"));
        continue;
      }
      if (connection.number() == 1) agreed.get_future().wait();
      connection.send(kSwitch);
      connection.read_to_end();
      return;
    }
  });
  conf::Upstream config = upstream_of({app.url()});
  config.max_connections = 1;
  Client client(config);
  Recorder before;
  EXPECT_EQ(client.fetch(before, get()).result, FetchResult::Complete);
  Recorder first;
  Recorder dropped;
  Recorder second;
  Recorder page;
  client.start(first, websocket());
  client.start(dropped, websocket());
  client.start(second, websocket());
  client.start(page, get("/page"));
  client.on_loop([&] {
    EXPECT_FALSE(first.fetch->waiting());
    EXPECT_TRUE(second.fetch->waiting());
    EXPECT_TRUE(page.fetch->waiting());
    second.fetch->pause();
    second.fetch->resume();
    dropped.fetch.reset();
  });
  EXPECT_FALSE(second.head || page.head);
  agreed.set_value();
  EXPECT_EQ(page.await_end().result, FetchResult::Complete);
  second.await([&] { return second.head.has_value(); });
  EXPECT_EQ(first.head->status, 101);
  EXPECT_THAT(app.heads(), ElementsAre(HasSubstr("GET / "), HasSubstr("/chat"), HasSubstr("/chat"),
                                       HasSubstr("GET /page")));
  client.on_loop([&] {
    first.fetch.reset();
    second.fetch.reset();
  });
}

TEST(TunnelPlaces, LeavesIdleConnectionsAlone) {
  // Shows that an open tunnel counts no more when another connection is made: no idle one has to
  // give way to it.
  App app([](AppConnection& connection) {
    for (std::string head; !(head = connection.read_head()).empty();) {
      connection.send(head.find("Upgrade") == head.npos ? ok(std::to_string(connection.number()))
                                                        : kSwitch);
    }
  });
  conf::Upstream config = upstream_of({app.url()});
  config.max_connections = 2;
  Client client(config);
  Recorder tunnel;
  client.start(tunnel, websocket());
  tunnel.await([&] { return tunnel.head.has_value(); });
  const std::pair<const char*, const char*> cases[] = {{"GET", "1"}, {"POST", "2"}, {"GET", "1"}};
  for (const auto& [method, connection] : cases) {
    Recorder page;
    EXPECT_EQ(client.fetch(page, request_of(method)).result, FetchResult::Complete);
    EXPECT_EQ(page.body, connection);
  }
  client.on_loop([&] { tunnel.fetch.reset(); });
}

TEST(TunnelPlaces, StaysPausedThroughTheWaitForAPlace) {
  // Shows that a fetch which was paused before it had a connection reads nothing from it.
  std::promise<void> switched;
  std::promise<void> agreed;
  App app([&](AppConnection& connection) {
    if (connection.read_head().find("Upgrade") == std::string::npos) {
      agreed.get_future().wait();
      connection.send(ok("x"));
      return;
    }
    connection.send(kSwitch);
    switched.set_value();
    connection.read_to_end();
  });
  conf::Upstream config = upstream_of({app.url()});
  config.max_connections = 1;
  Client client(config);
  Recorder page;
  Recorder tunnel;
  client.start(page, request_of("POST"));
  client.start(tunnel, websocket());
  client.on_loop([&] {
    EXPECT_TRUE(tunnel.fetch->waiting());
    tunnel.fetch->pause();
  });
  agreed.set_value();
  switched.get_future().wait();
  for (int turn = 0; turn < 5; ++turn) client.on_loop([&] { EXPECT_FALSE(tunnel.head); });
  client.on_loop([&] { tunnel.fetch->resume(); });
  tunnel.await([&] { return tunnel.head.has_value(); });
  client.on_loop([&] { tunnel.fetch.reset(); });
  EXPECT_EQ(page.await_end().result, FetchResult::Complete);
}

TEST(TunnelPlaces, GivesUpWaitingForAPlace) {
  // Shows that the time to wait is bounded, and that each kind of end gives its place back.
  App app([](AppConnection& connection) {
    const bool tunnel = connection.read_head().find("Upgrade") != std::string::npos;
    connection.send(tunnel ? "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"
                           : "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx");
    connection.read_to_end();
  });
  conf::Upstream config = upstream_of({app.url()});
  config.max_connections = 1;
  config.first_byte_timeout_ms = 300;
  Client client(config);
  for (int i = 0; i < 2; ++i) {
    Recorder page;
    client.start(page, get());
    page.await([&] { return page.body == "x"; });
    Recorder waits;
    const FetchEnd& end = client.fetch(waits, websocket());
    EXPECT_EQ(end.result, FetchResult::Timeout);
    EXPECT_EQ(end.message, "no free connection in time");
    client.on_loop([&] { page.fetch.reset(); });
    Recorder refused;
    EXPECT_EQ(client.fetch(refused, websocket()).result, FetchResult::Complete);
    EXPECT_EQ(refused.head->status, 403);
  }
}

// An app with one connection, which is busy with /slow until it is let go. It reads so many bytes
// of a POST before it answers.
class BusyApp {
 public:
  explicit BusyApp(std::size_t bytes_of_post = 0)
      : app_([this, bytes_of_post](AppConnection& connection) {
          for (std::string head; !(head = connection.read_head()).empty();) {
            if (head.find("/slow") != std::string::npos) let_go_.get_future().wait();
            if (head.starts_with("POST")) connection.read_exactly(bytes_of_post);
            connection.send(head.find("Upgrade") != std::string::npos ? kSwitch : ok("x"));
          }
        }),
        client(one_connection_to(app_)) {
    client.start(busy, get("/slow"));
  }

  void let_go() { let_go_.set_value(); }
  std::vector<std::string> heads() const { return app_.heads(); }

 private:
  static conf::Upstream one_connection_to(const App& app) {
    conf::Upstream config = upstream_of({app.url()});
    config.max_connections = 1;
    return config;
  }

  std::promise<void> let_go_;
  App app_;

 public:
  Client client;
  Recorder busy;  // what became of /slow
};

TEST(Places, ARequestIsSentWhenItHasAConnection) {
  for (const FetchRequest& waiting : {get("/page"), websocket()}) {
    BusyApp app;
    Recorder second;
    std::int64_t sent_ms = -1;
    second.head_hook = [&] { sent_ms = second.fetch->sent_ms(); };
    app.client.start(second, FetchRequest(waiting));
    app.client.on_loop([&] { EXPECT_EQ(second.fetch->sent_ms(), 0) << "it waits"; });
    const std::int64_t asked_ms = app.client.loop().now_ms();
    while (app.client.loop().now_ms() == asked_ms) std::this_thread::yield();
    app.let_go();
    second.await([&] { return second.head.has_value(); });
    EXPECT_GT(sent_ms, asked_ms);
    app.client.on_loop([&] { second.fetch.reset(); });
    app.busy.await_end();
  }
}

TEST(Places, AnUploadGoesInItsTurnIfItsBodyIsThereByThen) {
  // Else those who came later go first: it would hold the connection while it drips in.
  for (const bool gathered : {true, false}) {
    BusyApp app(4);
    Recorder upload;
    Recorder page;
    PiecedBody body;
    body.enough = 4;
    body.waiting = "12";
    app.client.start(upload, post(body, 4));
    app.client.start(page, get("/page"));
    const auto rest_comes = [&] {
      app.client.on_loop([&] {
        body.waiting += "34";
        upload.fetch->body_ready();
      });
    };
    if (gathered) rest_comes();
    app.let_go();
    if (!gathered) {
      EXPECT_EQ(page.await_end().result, FetchResult::Complete);
      rest_comes();
    }
    EXPECT_EQ(upload.await_end().result, FetchResult::Complete);
    EXPECT_EQ(page.await_end().result, FetchResult::Complete);
    const std::vector<std::string> heads = app.heads();
    ASSERT_EQ(heads.size(), 3U);
    EXPECT_EQ(heads[1].starts_with("POST"), gathered);
  }
}

TEST(Places, AnUploadThatStreamsSlowlyWaitsForASecondAtMost) {
  BusyApp app;
  Recorder upload;
  Recorder page;
  PiecedBody body;
  body.enough = 4;
  app.client.start(upload, post(body, 4));
  app.client.start(page, get("/page"));
  const std::int64_t began_ms = app.client.loop().now_ms();
  while (app.client.loop().now_ms() < began_ms + 1'100) std::this_thread::yield();
  app.let_go();
  EXPECT_EQ(upload.await_end().result, FetchResult::Complete) << "answered without its body";
  EXPECT_EQ(page.await_end().result, FetchResult::Complete);
  EXPECT_TRUE(app.heads().at(1).starts_with("POST"));
}

}  // namespace
}  // namespace weir::upstream::test
