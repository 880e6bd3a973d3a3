// Which connections serve again, and which must not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "tests/proxy/upstream_client.h"
#include "tests/proxy/upstream_origin.h"

namespace weir::upstream::test {
namespace {

void expect_complete(Client& client, FetchRequest request, std::string_view body) {
  Recorder recorder;
  const FetchEnd& end = client.fetch(recorder, std::move(request));
  EXPECT_EQ(end.result, FetchResult::Complete) << end.message;
  EXPECT_EQ(recorder.body, body);
}

TEST(Reuse, KeepsConnectionsOfWellFramedAnswers) {
  // Shows that answers with a length and with chunks leave the connection usable.
  const std::pair<std::string, std::string> cases[] = {
      {ok("x"), "x"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "x"}};
  for (const auto& [answer, body] : cases) {
    App app(App::repeat(answer));
    Client client(upstream_of({app.url()}));
    for (int i = 0; i < 20; ++i) expect_complete(client, get(), body);
    EXPECT_EQ(app.connections(), 1) << answer;
  }
}

TEST(Reuse, EndsConnectionsThatMayNotServeAgain) {
  // Shows that `close`, HTTP/1.0 and a login of the connection end it.
  const std::pair<const char*, std::string> cases[] = {
      {"GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
      {"GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"},
      {"GET", "HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n"}};
  for (const auto& [method, answer] : cases) {
    App app(App::repeat(answer));
    Client client(upstream_of({app.url()}));
    for (int i = 0; i < 3; ++i) expect_complete(client, request_of(method), "");
    EXPECT_EQ(app.connections(), 3) << answer;
  }
}

TEST(Reuse, KeepsALoginOfAConnectionToItself) {
  // Shows that a request which logs a connection in leaves it to nobody.
  App app(App::repeat(ok("x")));
  Client client(upstream_of({app.url()}));
  FetchRequest request = get();
  request.fields.add("Authorization", "NTLM TlRMTVNTUAABAAAA");
  expect_complete(client, std::move(request), "x");
  expect_complete(client, get(), "x");
  expect_complete(client, get(), "x");
  EXPECT_EQ(app.connections(), 2);
}

TEST(Reuse, KeepsTheConnectionOfAnUpload) {
  // Shows that a request with a body gets a fresh connection, and that one of them, no more, is
  // kept for others.
  std::atomic<int> open = 0;
  App app([&](AppConnection& connection) {
    ++open;
    for (std::string head; !(head = connection.read_head()).empty();) {
      if (head.starts_with("POST")) connection.read_exactly(3);
      connection.send(ok("x"));
    }
    --open;
    open.notify_all();
  });
  Client client(upstream_of({app.url()}));
  for (int i = 0; i < 3; ++i) {
    PiecedBody body;
    body.waiting = "abc";
    body.ended = true;
    expect_complete(client, post(body, 3), "x");
  }
  EXPECT_EQ(app.connections(), 3);
  for (int now = 0; (now = open) != 1;) open.wait(now);
  for (int i = 0; i < 3; ++i) expect_complete(client, get(), "x");
  EXPECT_EQ(app.connections(), 3);
}

// The bytes arrive with the answer or after it, by themselves; then the app waits for the peer.
struct Poison {
  std::string answer;
  std::string extra;
};

class Poisoned : public testing::TestWithParam<bool> {};

TEST_P(Poisoned, ConnectionIsNeverUsed) {
  // Shows that bytes nobody asked for, sent together with the answer or later, reach no other
  // request and cost none, whatever the method, over TCP and over a Unix socket.
  const bool unix_socket = GetParam();
  const std::string evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";
  const Poison cases[] = {{ok("x"), evil},
                          {ok("x") + evil, ""},
                          {ok("x") + "E", evil},
                          {"HTTP/1.1 204 None\r\n\r\n", evil},
                          {"HTTP/1.1 204 None\r\n\r\n" + evil, evil},
                          {"HTTP/1.1 304 Same\r\nContent-Length: 4\r\n\r\n", evil},
                          {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", evil},
                          {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", evil}};
  for (const Poison& poison : cases) {
    std::promise<void> answered;
    std::promise<void> poisoned;
    const App::Play play = [&](AppConnection& connection) {
      while (!connection.read_head().empty()) {
        if (connection.number() > 0) {
          connection.send(ok("good"));
          continue;
        }
        connection.send(poison.answer);
        answered.get_future().wait();
        connection.send(poison.extra);
        poisoned.set_value();
      }
    };
    const std::string path = "/tmp/weir-poison-" + std::to_string(getpid()) + ".sock";
    std::optional<App> app;
    if (unix_socket) {
      app.emplace(App::Kind::Unix, path, play);
    } else {
      app.emplace(play);
    }
    Client client(upstream_of({app->url()}));
    Recorder first;
    EXPECT_EQ(client.fetch(first, get()).result, FetchResult::Complete);
    answered.set_value();
    poisoned.get_future().wait();
    Recorder second;
    const FetchEnd& end = client.fetch(second, get());
    EXPECT_EQ(end.result, FetchResult::Complete) << end.message << poison.answer;
    EXPECT_EQ(second.body, "good") << poison.answer;
    EXPECT_EQ(app->heads().size(), 2U) << poison.answer;
    EXPECT_EQ(app->connections(), 2) << poison.answer;
  }
}

INSTANTIATE_TEST_SUITE_P(Over, Poisoned, testing::Bool(),
                         [](const auto& test) { return test.param ? "Unix" : "Tcp"; });

TEST(Reuse, SeesPoisonThatTheLoopHasNotSeen) {
  // Shows the last look before a request is sent: the poison comes while the loop is held, so that
  // no event can have told of it.
  for (int round = 0; round < 20; ++round) {
    std::promise<void> answered;
    std::promise<void> poisoned;
    App app([&](AppConnection& connection) {
      while (!connection.read_head().empty()) {
        connection.send(connection.number() == 0 ? ok("x") : ok("good"));
        if (connection.number() > 0) continue;
        answered.get_future().wait();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL");
        poisoned.set_value();
      }
    });
    conf::Upstream config = upstream_of({app.url()});
    config.retries = 0;
    Client client(config);
    expect_complete(client, get(), "x");
    Recorder second;
    client.on_loop([&] {
      second.fetch = client.fetcher().start(get(), second);
      answered.set_value();
      poisoned.get_future().wait();
    });
    EXPECT_EQ(second.await_end().result, FetchResult::Complete);
    EXPECT_EQ(second.body, "good");
  }
}

TEST(Reuse, DropsConnectionsThatTheAppHasEnded) {
  // Shows that a connection which was closed while idle costs no request, even without retries.
  std::promise<void> ended;
  App app([&](AppConnection& connection) {
    connection.read_head();
    connection.send(ok("x"));
    if (connection.number() > 0) return;
    connection.close();
    ended.set_value();
  });
  conf::Upstream config = upstream_of({app.url()});
  config.retries = 0;
  Client client(config);
  expect_complete(client, get(), "x");
  ended.get_future().wait();
  expect_complete(client, get(), "x");
}

TEST(Reuse, KeepsSeveralConnectionsAtOnce) {
  // Shows that as many connections are kept as were needed, and that they are told apart.
  App app(App::repeat(ok("x")));
  Client client(upstream_of({app.url()}));
  for (int round = 0; round < 5; ++round) {
    std::vector<std::unique_ptr<Recorder>> recorders;
    for (int i = 0; i < 16; ++i) recorders.push_back(std::make_unique<Recorder>());
    client.on_loop([&] {
      for (auto& r : recorders) r->fetch = client.fetcher().start(get(), *r);
    });
    for (auto& r : recorders) EXPECT_EQ(r->await_end().result, FetchResult::Complete);
  }
  EXPECT_EQ(app.connections(), 16);
}

TEST(Reuse, QueuesWhatExceedsTheConnections) {
  // Shows that requests beyond max_connections wait their turn and all finish, and that one dropped
  // while it waits holds up nobody.
  App app(App::repeat(ok("x")));
  conf::Upstream config = upstream_of({app.url()});
  config.max_connections = 4;
  Client client(config);
  std::vector<std::unique_ptr<Recorder>> recorders;
  for (int i = 0; i < 100; ++i) recorders.push_back(std::make_unique<Recorder>());
  client.on_loop([&] {
    for (auto& r : recorders) r->fetch = client.fetcher().start(get(), *r);
    for (std::size_t i = 0; i < recorders.size(); i += 3) recorders[i]->fetch.reset();
  });
  for (std::size_t i = 0; i < recorders.size(); ++i) {
    if (i % 3 == 0) continue;
    EXPECT_EQ(recorders[i]->await_end().result, FetchResult::Complete);
    EXPECT_EQ(recorders[i]->body, "x");
  }
  EXPECT_LE(app.connections(), 4);
  expect_complete(client, get(), "x");
}

TEST(Reuse, KeepsOneBoundForAllLoops) {
  // Shows that a loop may use all the connections, that requests of another wait for them and are
  // told when there is one, and that an idle connection gives way to another loop's.
  std::atomic<int> open = 0;
  std::atomic<int> serving = 0;
  std::atomic<int> most_served = 0;
  App app([&](AppConnection& connection) {
    ++open;
    while (!connection.read_head().empty()) {
      const int now = ++serving;
      for (int before = most_served; now > before;) {
        if (most_served.compare_exchange_weak(before, now)) break;
      }
      --serving;  // first: an answer is the fetch's end
      connection.send(ok("x"));
    }
    --open;
  });
  conf::Upstream config = upstream_of({app.url()});
  config.max_connections = 2;
  Client one(config);
  Client two(one.shared_pool());
  for (int round = 0; round < 20; ++round) {
    for (Client* client : {&one, &two}) {
      std::vector<std::unique_ptr<Recorder>> recorders;
      for (int i = 0; i < 6; ++i) recorders.push_back(std::make_unique<Recorder>());
      client->on_loop([&] {
        for (auto& r : recorders) r->fetch = client->fetcher().start(get(), *r);
      });
      Recorder other;
      Client& second = client == &one ? two : one;
      EXPECT_EQ(second.fetch(other, get()).result, FetchResult::Complete);
      for (auto& r : recorders) EXPECT_EQ(r->await_end().result, FetchResult::Complete);
      client->on_loop([&] { recorders.clear(); });
    }
  }
  EXPECT_LE(most_served, 2);
  // The app hears late of those that were closed for others.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (open > 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_LE(open, 2);
}

TEST(Reuse, MakesRoomForFreshConnections) {
  // Shows that kept connections give way when requests that need fresh ones come.
  App app(App::repeat(ok("x")));
  conf::Upstream config = upstream_of({app.url()});
  config.max_connections = 2;
  Client client(config);
  for (int i = 0; i < 6; ++i) {
    Recorder a;
    Recorder b;
    Recorder c;
    client.on_loop([&] {
      a.fetch = client.fetcher().start(get(), a);
      b.fetch = client.fetcher().start(request_of("POST"), b);
      c.fetch = client.fetcher().start(request_of("POST"), c);
    });
    for (Recorder* r : {&a, &b, &c}) EXPECT_EQ(r->await_end().result, FetchResult::Complete);
  }
}

}  // namespace
}  // namespace weir::upstream::test
