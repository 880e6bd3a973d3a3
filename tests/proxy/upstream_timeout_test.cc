#include <gtest/gtest.h>

#include "tests/proxy/upstream_client.h"
#include "tests/proxy/upstream_origin.h"

namespace weir::upstream::test {
namespace {

conf::Upstream hurried(std::vector<conf::UpstreamUrl> urls) {
  conf::Upstream config = upstream_of(std::move(urls));
  config.connect_timeout_ms = 60;
  config.first_byte_timeout_ms = 120;
  config.idle_timeout_ms = 120;
  return config;
}

TEST(Timeout, EndsAConnectionThatIsNotMade) {
  // Shows that a peer which drops our packets costs the connect timeout, not the first byte's.
  FullListener full;
  conf::Upstream config = hurried({full.url});
  config.first_byte_timeout_ms = 60'000;
  Client client(config);
  Recorder recorder;
  const FetchEnd& end = client.fetch(recorder, get());
  EXPECT_EQ(end.result, FetchResult::Timeout) << end.message;
  EXPECT_FALSE(end.app_sent_bytes);
}

TEST(Timeout, TriesTheNextAddressWhenOneDoesNotConnect) {
  // Shows that an unreachable address is passed over and then left alone.
  FullListener full;
  App good(App::repeat(ok("good")));
  Client client(hurried({full.url, good.url()}));
  for (int i = 0; i < 2; ++i) {
    Recorder recorder;
    EXPECT_EQ(client.fetch(recorder, request_of("POST")).result, FetchResult::Complete);
  }
  EXPECT_FALSE(client.pool().is_up(0, client.loop().now_ms()));
}

TEST(Timeout, EndsAWaitForTheFirstByte) {
  // Shows that an app which hangs, before its answer or within its head, is given up, and that an
  // interim head does not count as an answer.
  for (const char* sent : {"", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 102 Wait\r\n\r\n"}) {
    App app(App::once(sent));
    Client client(hurried({app.url()}));
    Recorder recorder;
    EXPECT_EQ(client.fetch(recorder, get()).result, FetchResult::Timeout) << sent;
    EXPECT_FALSE(recorder.head);
    EXPECT_EQ(app.heads().size(), 1U);  // a timeout is not repeated
  }
}

TEST(Timeout, EndsAnAnswerThatStopsComing) {
  // Shows that the time between bytes of a body is bounded.
  App app(App::once("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"));
  Client client(hurried({app.url()}));
  Recorder recorder;
  const FetchEnd& end = client.fetch(recorder, get());
  EXPECT_EQ(end.result, FetchResult::Timeout);
  EXPECT_TRUE(end.app_sent_bytes);
  EXPECT_EQ(recorder.body, "hello");
}

TEST(Timeout, EndsAWaitForAFreeConnection) {
  // Shows that a request which never gets a connection ends too, and that the queue goes on after.
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  App app([released](AppConnection& connection) {
    while (!connection.read_head().empty()) {
      released.wait();
      connection.send(ok("x"));
    }
  });
  conf::Upstream config = hurried({app.url()});
  config.max_connections = 1;
  Client client(config);
  Recorder first;
  Recorder second;
  client.on_loop([&] {
    first.fetch = client.fetcher().start(get(), first);
    second.fetch = client.fetcher().start(get(), second);
  });
  EXPECT_EQ(first.await_end().result, FetchResult::Timeout);
  EXPECT_EQ(second.await_end().result, FetchResult::Timeout);
  release.set_value();
  Recorder third;
  EXPECT_EQ(client.fetch(third, get()).result, FetchResult::Complete);
}

TEST(Timeout, SparesEventStreamsAndPausedAnswers) {
  // Shows that neither an event stream nor a reader who wants no more is hurried: a plain answer
  // that stalls on the same loop, begun later, is the clock.
  for (const bool events : {true, false}) {
    const std::string type = events ? "text/event-stream; charset=utf-8" : "text/plain";
    std::promise<void> go_on;
    App slow([&](AppConnection& connection) {
      connection.read_head();
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Type: " + type +
                      "\r\n\r\nhello");
      go_on.get_future().wait();
      connection.send(" you");
      connection.read_to_end();
    });
    App stalled(App::once("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"));
    Client client(hurried({slow.url(), stalled.url()}));
    Recorder spared;
    Recorder clock;
    if (!events) spared.head_hook = [&] { spared.fetch->pause(); };
    client.on_loop([&] { spared.fetch = client.fetcher().start_at(0, get(), spared); });
    spared.await([&] { return spared.head.has_value(); });
    client.on_loop([&] { clock.fetch = client.fetcher().start_at(1, get(), clock); });
    EXPECT_EQ(clock.await_end().result, FetchResult::Timeout);
    go_on.set_value();
    client.on_loop([&] {
      if (spared.fetch) spared.fetch->resume();
    });
    EXPECT_EQ(spared.await_end().result, FetchResult::Complete);
    EXPECT_EQ(spared.body, "hello you");
  }
}

TEST(Timeout, WaitsForASlowClient) {
  // Shows that the app's time for an answer does not run while the request's body is not there: a
  // hanging request begun later is the clock.
  App app([](AppConnection& connection) {
    connection.read_head();
    connection.read_exactly(6);
    connection.send(ok("x"));
    connection.read_to_end();
  });
  App mute(App::once(""));
  Client client(hurried({app.url(), mute.url()}));
  PiecedBody body;
  body.waiting = "abc";
  Recorder upload;
  Recorder clock;
  std::promise<void> pending;
  body.on_read = [&] {
    if (!body.waiting.empty()) return;
    body.on_read = nullptr;
    pending.set_value();
  };
  client.on_loop([&] { upload.fetch = client.fetcher().start_at(0, post(body, 6), upload); });
  pending.get_future().wait();
  client.on_loop([&] { clock.fetch = client.fetcher().start_at(1, get(), clock); });
  EXPECT_EQ(clock.await_end().result, FetchResult::Timeout);
  client.on_loop([&] {
    body.waiting = "def";
    body.ended = true;
    upload.fetch->body_ready();
  });
  EXPECT_EQ(upload.await_end().result, FetchResult::Complete);
}

}  // namespace
}  // namespace weir::upstream::test
