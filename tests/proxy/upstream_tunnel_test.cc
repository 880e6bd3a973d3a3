// Upgrades: over TCP, TLS and a Unix socket.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>

#include "tests/proxy/upstream_client.h"
#include "tests/proxy/upstream_origin.h"

namespace weir::upstream::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Sends all of `bytes`, in the tunnel's own pace. On the loop.
struct Pump {
  Recorder& recorder;
  std::string bytes;
  bool end_after = false;
  int waits = 0;
  void run() {
    const std::size_t taken = recorder.fetch->tunnel()->send(bytes);
    bytes = bytes.substr(taken);  // in another place: TLS must not mind
    if (bytes.empty()) {
      if (end_after) recorder.fetch->tunnel()->shutdown();
      return;
    }
    ++waits;
    recorder.fetch->tunnel()->set_writable([this] { run(); });
  }
};

class Tunnel : public testing::TestWithParam<std::string> {
 protected:
  void open(App::Play play) {
    if (GetParam() == "Tls") {
      app_.emplace(App::Kind::Tls, "", std::move(play));
    } else if (GetParam() == "Unix") {
      const std::string path = "/tmp/weir-tunnel-" + std::to_string(getpid()) + ".sock";
      app_.emplace(App::Kind::Unix, path, std::move(play));
    } else {
      app_.emplace(std::move(play));
    }
    client_.emplace(upstream_of({app_->url()}));
  }
  std::optional<App> app_;
  std::optional<Client> client_;
};

TEST_P(Tunnel, RelaysBothWaysAfterA101) {
  // Shows the head that the app gets, bytes that came with the 101, an echo, and the app's end.
  open([](AppConnection& connection) {
    connection.read_head();
    connection.send(std::string(kSwitch) + "first ");
    connection.send(connection.read_exactly(4));
    connection.end_sending();
    connection.close();
  });
  Recorder recorder;
  client_->start(recorder, websocket());
  recorder.await([&] { return recorder.body == "first "; });
  EXPECT_EQ(recorder.head->status, 101);
  client_->on_loop([&] { EXPECT_EQ(recorder.fetch->tunnel()->send("ping"), 4U); });
  const FetchResult result = recorder.await_end().result;
  EXPECT_EQ(result, FetchResult::CompleteByClose);
  EXPECT_EQ(recorder.body, "first ping");
  EXPECT_THAT(app_->heads(), ElementsAre("GET /chat?room=1 HTTP/1.1\r\nHost: app.test\r\n"
                                         "Connection: Upgrade\r\nSec-WebSocket-Key: x\r\n"
                                         "Upgrade: websocket\r\n\r\n"));
}

TEST_P(Tunnel, EndsInOrderWithoutAnAlert) {
  // Shows that a tunnel's end needs no closing alert of TLS, which many apps leave out: its own
  // protocol tells whether it is whole. An answer that is none has to have it.
  const std::tuple<std::string, FetchResult, const char*> cases[] = {
      {std::string(kSwitch) + "bye", FetchResult::CompleteByClose, ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbye", FetchResult::Broken,
       GetParam() == "Tls" ? "closing alert" : "too soon"}};
  for (const auto& [answer, result, message] : cases) {
    open([&](AppConnection& connection) {
      connection.read_head();
      connection.send(answer);
      connection.end_bare();
      connection.read_to_end();
    });
    Recorder recorder;
    const FetchEnd& end = client_->fetch(recorder, websocket());
    EXPECT_EQ(end.result, result) << end.message;
    EXPECT_THAT(end.message, HasSubstr(message));
    EXPECT_EQ(recorder.body, "bye");
    client_.reset();
    app_.reset();
  }
}

TEST_P(Tunnel, KeepsEachSidesPace) {
  // Shows that megabytes pass both ways at once: the app stops reading while it is not read from,
  // the sink pauses now and then, and nothing is lost.
  constexpr std::size_t kBytes = 16 * 1024 * 1024;
  std::size_t received = 0;
  open([&](AppConnection& connection) {
    connection.read_head();
    connection.send(kSwitch);
    const std::string piece(64 * 1024, 'a');
    for (std::size_t i = 0; i < kBytes; i += piece.size()) connection.send(piece);
    received = connection.read_exactly(kBytes).size();
    connection.send("done");
    connection.read_to_end();
  });
  Recorder recorder;
  recorder.keep_body = false;
  Pump pump{recorder, std::string(kBytes, 'b'), true};
  recorder.head_hook = [&] { client_->loop().post([&] { pump.run(); }); };
  std::size_t next_pause = 0;
  recorder.body_hook = [&](std::string_view) {
    if (recorder.body_bytes < next_pause) return;
    next_pause += 200'000;
    recorder.fetch->pause();
    client_->loop().post([&] { recorder.fetch->resume(); });
  };
  client_->start(recorder, websocket());
  recorder.await([&] { return recorder.body_bytes == kBytes + 4; });
  EXPECT_EQ(received, kBytes);
  EXPECT_GT(pump.waits, 0);
  client_->on_loop([&] { recorder.fetch.reset(); });
}

TEST_P(Tunnel, TakesAnyOtherAnswer) {
  // Shows that a refusal is an ordinary answer by its own framing, on a connection of its own, and
  // that no tunnel leads anywhere then.
  const std::tuple<const char*, const char*, FetchResult> cases[] = {
      {"HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nhello", "hello", FetchResult::Complete},
      {"HTTP/1.1 103 Hint\r\n\r\nHTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n"
       "5\r\nhello\r\n0\r\n\r\n",
       "hello", FetchResult::Complete},
      {"HTTP/1.1 204 None\r\n\r\n", "", FetchResult::Complete},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello!", "hello", FetchResult::Complete},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", "", FetchResult::Garbage},
      {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "hello", FetchResult::Complete},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\nhello", "", FetchResult::Garbage},
      {"HTTP/1.1 101 Go\r\n\r\n", "", FetchResult::Garbage},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;\r\nhello", "",
       FetchResult::Garbage},
  };
  for (const auto& [answer, body, result] : cases) {
    open(App::once(answer));
    for (int i = 0; i < 2; ++i) {
      Recorder recorder;
      recorder.head_hook = [&] { EXPECT_EQ(recorder.fetch->tunnel(), nullptr); };
      const FetchEnd& end = client_->fetch(recorder, websocket());
      EXPECT_EQ(end.result, result) << answer << end.message;
      EXPECT_EQ(recorder.body, body) << answer;
    }
    EXPECT_EQ(app_->connections(), 2);
    client_.reset();
    app_.reset();
  }
}

TEST_P(Tunnel, DoesNotWaitForEverForAnAppThatIsSilentAtTheEnd) {
  // Shows that a tunnel may be silent as long as it likes, but not once its client has ended, nor
  // when the app takes nothing more.
  for (const bool blocked : {false, true}) {
    std::promise<void> over;
    open([&](AppConnection& connection) {
      connection.read_head();
      connection.send(kSwitch);
      over.get_future().wait();
    });
    conf::Upstream config = upstream_of({app_->url()});
    config.idle_timeout_ms = 50;
    client_.emplace(config);
    Recorder recorder;
    recorder.head_hook = [&] {
      client_->loop().post([&] {
        if (!blocked) return recorder.fetch->tunnel()->shutdown();
        const std::string piece(1024 * 1024, 'b');
        while (recorder.fetch->tunnel()->send(piece) == piece.size()) {
        }
      });
    };
    EXPECT_EQ(client_->fetch(recorder, websocket()).result, FetchResult::Timeout);
    over.set_value();
    client_.reset();
    app_.reset();
  }
}

TEST_P(Tunnel, EndsWhenDropped) {
  // Shows that the app sees the end when the fetch goes, inside a call and outside.
  for (const bool inside : {false, true}) {
    std::promise<void> ended;
    open([&](AppConnection& connection) {
      connection.read_head();
      connection.send(std::string(kSwitch) + "x");
      connection.read_to_end();
      ended.set_value();
    });
    Recorder recorder;
    if (inside) recorder.body_hook = [&](std::string_view) { recorder.fetch.reset(); };
    client_->start(recorder, websocket());
    recorder.await([&] { return recorder.body == "x"; });
    client_->on_loop([&] { recorder.fetch.reset(); });
    ended.get_future().wait();
    client_.reset();
    app_.reset();
  }
}

INSTANTIATE_TEST_SUITE_P(Over, Tunnel, testing::Values("Tcp", "Tls", "Unix"),
                         [](const auto& test) { return test.param; });

TEST(TunnelPlain, PassesTheClientsEndOn) {
  // Shows that a client which sends no more is not a client that reads no more.
  App app([](AppConnection& connection) {
    connection.read_head();
    connection.send(kSwitch);
    connection.send("got " + connection.read_to_end());
  });
  Client client(upstream_of({app.url()}));
  Recorder recorder;
  recorder.head_hook = [&] {
    recorder.fetch->tunnel()->send("ping");
    recorder.fetch->tunnel()->shutdown();
  };
  EXPECT_EQ(client.fetch(recorder, websocket()).result, FetchResult::CompleteByClose);
  EXPECT_EQ(recorder.body, "got ping");
}

TEST(TunnelPlain, FailsLikeAnyFetch) {
  // Shows refusal, passing over to another address, a hanging app and a dying one.
  {
    Client client(upstream_of({closed_address()}));
    Recorder recorder;
    EXPECT_EQ(client.fetch(recorder, websocket()).result, FetchResult::Refused);
  }
  {
    App app(App::once("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"));
    Client client(upstream_of({closed_address(), app.url()}));
    for (int i = 0; i < 2; ++i) {
      Recorder recorder;
      EXPECT_EQ(client.fetch(recorder, websocket()).result, FetchResult::Complete);
    }
  }
  {
    App app(App::once("HTTP/1.1 101 Sw"));
    conf::Upstream config = upstream_of({app.url()});
    config.first_byte_timeout_ms = 50;
    Client client(config);
    Recorder recorder;
    EXPECT_EQ(client.fetch(recorder, websocket()).result, FetchResult::Timeout);
  }
  {
    App app([](AppConnection& connection) { connection.read_head(); });
    Client client(upstream_of({app.url()}));
    Recorder recorder;
    EXPECT_EQ(client.fetch(recorder, websocket()).result, FetchResult::Broken);
    EXPECT_EQ(app.heads().size(), 1U);
  }
}

}  // namespace
}  // namespace weir::upstream::test
