// Bodies in both directions, at different paces.

#include <gtest/gtest.h>

#include "tests/proxy/upstream_client.h"
#include "tests/proxy/upstream_origin.h"

namespace weir::upstream::test {
namespace {

constexpr std::size_t kBig = 10 * 1024 * 1024;

// Work of the loop that a body of kBig may cost at most; a busy loop costs as much in a moment.
constexpr std::uint64_t kBounded = 4 * (kBig / 1024);

void send_big(AppConnection& connection, bool chunked) {
  connection.send(chunked
                      ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      : "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kBig) + "\r\n\r\n");
  const std::string piece(32 * 1024, 'y');
  for (std::size_t sent = 0; sent < kBig; sent += piece.size()) {
    const std::string framed = chunked ? "8000\r\n" + piece + "\r\n" : piece;
    if (!connection.send(framed)) return;
  }
  if (chunked) connection.send("0\r\n\r\n");
}

class Download : public testing::TestWithParam<bool> {};

TEST_P(Download, WaitsForASlowReader) {
  // Shows that a paused answer stops within a buffer's length, that 10 MB arrive whole over many
  // pauses, and that the loop rests meanwhile.
  App app([](AppConnection& connection) {
    while (!connection.read_head().empty()) send_big(connection, GetParam());
  });
  Client client(upstream_of({app.url()}));
  Recorder recorder;
  recorder.keep_body = false;
  std::size_t at_pause = 0;
  std::size_t most_after_pause = 0;
  bool paused = false;
  int pauses = 0;
  recorder.body_hook = [&](std::string_view) {
    if (paused) {
      most_after_pause = std::max(most_after_pause, recorder.body_bytes - at_pause);
      return;
    }
    if (recorder.body_bytes < at_pause + 100'000) return;
    at_pause = recorder.body_bytes;
    paused = true;
    ++pauses;
    recorder.fetch->pause();
    // Two rounds of posting: whatever was on its way has arrived by then.
    client.loop().post([&] {
      client.loop().post([&] {
        paused = false;
        recorder.fetch->resume();
      });
    });
  };
  const FetchEnd& end = client.fetch(recorder, get());
  EXPECT_EQ(end.result, FetchResult::Complete) << end.message;
  EXPECT_EQ(recorder.body_bytes, kBig);
  EXPECT_GT(pauses, 50);
  EXPECT_LE(most_after_pause, 64U * 1024);
  EXPECT_LT(client.wakeups(), kBounded);
  Recorder again;
  EXPECT_EQ(client.fetch(again, get()).result, FetchResult::Complete);
  EXPECT_EQ(app.connections(), 1);
}

INSTANTIATE_TEST_SUITE_P(By, Download, testing::Bool(),
                         [](const auto& test) { return test.param ? "Chunks" : "Length"; });

TEST(Flow, RestsWhilePaused) {
  // Shows that a paused answer with bytes waiting costs no work at all: another fetch on the same
  // loop is the clock.
  App app([](AppConnection& connection) {
    while (!connection.read_head().empty()) send_big(connection, false);
  });
  App other(App::once(""));
  conf::Upstream config = upstream_of({app.url(), other.url()});
  config.first_byte_timeout_ms = 200;
  Client client(config);
  Recorder big;
  big.keep_body = false;
  big.head_hook = [&] { big.fetch->pause(); };
  client.on_loop([&] { big.fetch = client.fetcher().start_at(0, get(), big); });
  big.await([&] { return big.head.has_value(); });
  Recorder clock;
  std::uint64_t before = 0;
  client.on_loop([&] {
    before = client.fetcher().wakeups();
    clock.fetch = client.fetcher().start_at(1, get(), clock);
  });
  EXPECT_EQ(clock.await_end().result, FetchResult::Timeout);
  EXPECT_LT(client.wakeups() - before, 20U);
  EXPECT_LE(big.body_bytes, 64U * 1024);
  client.on_loop([&] { big.fetch->resume(); });
  EXPECT_EQ(big.await_end().result, FetchResult::Complete);
  EXPECT_EQ(big.body_bytes, kBig);
}

TEST(Flow, GoesOnWithAResumedAnswer) {
  // Shows that a resumed answer which does not move costs no work, and goes on when it does: a
  // hanging fetch on the same loop is the clock.
  std::promise<void> go_on;
  App app([&](AppConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
    go_on.get_future().wait();
    connection.send(" you");
    connection.read_to_end();
  });
  App other(App::once(""));
  conf::Upstream config = upstream_of({app.url(), other.url()});
  config.first_byte_timeout_ms = 1'200;
  Client client(config);
  Recorder resumed;
  client.on_loop([&] { resumed.fetch = client.fetcher().start_at(0, get(), resumed); });
  resumed.await([&] { return resumed.body == "hello"; });
  client.on_loop([&] { resumed.fetch->pause(); });
  client.on_loop([&] { client.loop().post([&] { resumed.fetch->resume(); }); });
  Recorder clock;
  client.on_loop([&] { clock.fetch = client.fetcher().start_at(1, get(), clock); });
  const std::uint64_t before = client.wakeups();
  EXPECT_EQ(clock.await_end().result, FetchResult::Timeout);
  const std::uint64_t woken = client.wakeups() - before;
  EXPECT_LT(woken, 30U);
  go_on.set_value();
  EXPECT_EQ(resumed.await_end().result, FetchResult::Complete);
  EXPECT_EQ(resumed.body, "hello you");
}

class Upload : public testing::TestWithParam<bool> {};

TEST_P(Upload, TakesTheBodyAsItComes) {
  // Shows that 10 MB arrive whole, from a client that pauses after each piece to an app that reads
  // at its own pace, and that nothing but one field of framing is added.
  const bool counted = GetParam();
  std::string head;
  std::size_t received = 0;
  App app([&](AppConnection& connection) {
    head = connection.read_head();
    if (counted) {
      received = connection.read_exactly(kBig).size();
    } else {
      for (;;) {
        std::string size;
        while (!size.ends_with("\r\n")) {
          const std::string byte = connection.read_exactly(1);
          if (byte.empty()) return;
          size += byte;
        }
        const std::size_t bytes = std::stoul(size, nullptr, 16);
        received += bytes;
        connection.read_exactly(bytes + 2);
        if (bytes == 0) break;
      }
    }
    connection.send(ok("thanks"));
    connection.read_to_end();
  });
  Client client(upstream_of({app.url()}));
  PiecedBody body;
  std::size_t left = kBig;
  Recorder recorder;
  body.on_read = [&] {
    if (body.refill > 0 || left == 0) return;
    client.loop().post([&] {
      const std::size_t piece = std::min<std::size_t>(left, 50'000);
      body.refill += piece;
      left -= piece;
      body.ended = left == 0;
      recorder.fetch->body_ready();
    });
  };
  const FetchEnd& end = client.fetch(
      recorder, post(body, counted ? std::optional<std::uint64_t>(kBig) : std::nullopt));
  EXPECT_EQ(end.result, FetchResult::Complete) << end.message;
  EXPECT_EQ(received, kBig);
  EXPECT_EQ(head, "POST / HTTP/1.1\r\nHost: app.test\r\n" +
                      (counted ? "Content-Length: " + std::to_string(kBig)
                               : std::string("Transfer-Encoding: chunked")) +
                      "\r\n\r\n");
  EXPECT_LT(client.wakeups(), kBounded);
}

INSTANTIATE_TEST_SUITE_P(By, Upload, testing::Bool(),
                         [](const auto& test) { return test.param ? "Length" : "Chunks"; });

TEST(Flow, PullsNoMoreThanTheAppTakes) {
  // Shows that an app which does not read stops the upload within the sockets' buffers.
  std::promise<void> go_on;
  App app([&](AppConnection& connection) {
    connection.read_head();
    go_on.get_future().wait();
    connection.read_exactly(8 * kBig);
    connection.send(ok("x"));
    connection.read_to_end();
  });
  Client client(upstream_of({app.url()}));
  PiecedBody body;
  body.refill = 8 * kBig;
  Recorder recorder;
  client.start(recorder, post(body, 8 * kBig));
  std::size_t taken = 1;
  std::size_t before = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  while (std::chrono::steady_clock::now() < end) {
    before = taken;
    client.on_loop([&] { taken = body.taken; });
  }
  EXPECT_EQ(taken, before);
  EXPECT_LT(taken, 8 * kBig);
  EXPECT_LT(client.wakeups(), kBounded);
  go_on.set_value();
  EXPECT_EQ(recorder.await_end().result, FetchResult::Complete);
}

TEST(Flow, CutsTheRequestWhenItsBodyFails) {
  // Shows that the app never sees a complete message made of an incomplete one: with a length the
  // rest is missing, with chunks the last chunk is.
  for (const bool counted : {true, false}) {
    for (const bool at_once : {true, false}) {
      std::promise<std::string> seen;
      App app([&](AppConnection& connection) {
        connection.read_head();
        seen.set_value(connection.read_to_end());
      });
      Client client(upstream_of({app.url()}));
      PiecedBody body;
      body.waiting = "hello";
      Recorder recorder;
      bool failing = false;
      body.on_read = [&] {
        if (body.waiting.empty() && at_once) body.failed = true;
        if (!body.waiting.empty() || std::exchange(failing, true)) return;
        client.loop().post([&] {
          body.failed = true;
          if (recorder.fetch) recorder.fetch->body_ready();
        });
      };
      FetchRequest request = post(body, counted ? std::optional<std::uint64_t>(9) : std::nullopt);
      EXPECT_EQ(client.fetch(recorder, std::move(request)).result, FetchResult::BodyFailed);
      const std::string bytes = seen.get_future().get();
      client.on_loop([] {});  // what was posted has run
      EXPECT_TRUE(!counted || bytes == "hello" || bytes.empty()) << bytes;
      EXPECT_EQ(bytes.find("0\r\n\r\n"), std::string::npos);
    }
  }
}

TEST(Flow, HoldsABodyToItsLength) {
  // Shows that a body which turns out shorter or longer than announced is cut, not completed.
  for (const std::string_view bytes : {"hell", "hello!"}) {
    App app([&](AppConnection& connection) {
      connection.read_head();
      connection.read_to_end();
    });
    Client client(upstream_of({app.url()}));
    PiecedBody body;
    body.waiting = bytes;
    body.ended = true;
    Recorder recorder;
    const FetchResult result = client.fetch(recorder, post(body, 5)).result;
    EXPECT_EQ(result, FetchResult::BodyFailed) << bytes;
  }
}

TEST(Flow, DeliversAnEarlyAnswer) {
  // Shows that an answer before the request's end is passed on and ends the exchange, for refusals
  // and for successes, and that the connection serves nobody else.
  for (const char* status : {"413 Too Large", "200 OK"}) {
    App app([&](AppConnection& connection) {
      if (connection.number() == 0) {
        connection.read_head();
        connection.send(std::string("HTTP/1.1 ") + status + "\r\nContent-Length: 4\r\n\r\nfull");
        connection.read_to_end();
      } else {
        connection.read_head();
        connection.send(ok("next"));
        connection.read_to_end();
      }
    });
    Client client(upstream_of({app.url()}));
    PiecedBody body;
    body.waiting = "some";
    Recorder recorder;
    const FetchEnd& end = client.fetch(recorder, post(body, 1'000'000));
    EXPECT_EQ(end.result, FetchResult::Complete) << end.message;
    EXPECT_EQ(recorder.body, "full");
    Recorder next;
    EXPECT_EQ(client.fetch(next, get()).result, FetchResult::Complete);
    EXPECT_EQ(next.body, "next");
  }
}

TEST(Flow, HoldsABodyBackUntilTheAppWantsIt) {
  // Shows that a head which expects to be told to continue goes alone, and what opens its body: the
  // app's 100, or its silence, but no other interim answer; and that its answer may come instead.
  struct Case {
    const char* what;
    std::string app_says;
    std::string body_arrived;
    int status;
  };
  const Case cases[] = {
      {"wants it", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n", "body", 200},
      {"says nothing", "", "body", 200},
      {"refuses", "HTTP/1.1 417 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "", 417},
  };
  for (const Case& c : cases) {
    std::string arrived;
    std::atomic<bool> heard = false;
    App app([&](AppConnection& connection) {
      connection.read_head();
      heard = true;
      connection.send(c.app_says);
      if (c.status != 200) return;
      arrived = connection.read_exactly(4);
      connection.send(ok("x"));
    });
    Client client(upstream_of({app.url()}));
    PiecedBody body;
    body.waiting = "body";
    body.ended = true;
    body.on_read = [&] { EXPECT_TRUE(heard) << c.what << ": its head goes alone"; };
    FetchRequest request = post(body, 4);
    request.expect_continue = true;
    Recorder recorder;
    client.fetch(recorder, std::move(request));
    EXPECT_EQ(recorder.head->status, c.status) << c.what;
    EXPECT_EQ(arrived, c.body_arrived) << c.what;
    EXPECT_NE(app.heads()[0].find("Expect: 100-continue\r\n"), std::string::npos) << c.what;
    EXPECT_EQ(body.taken, c.body_arrived.size()) << c.what;
  }
}

TEST(Flow, PassesEventsOnAsTheyCome) {
  // Shows that each event reaches the sink before the app sends the next one.
  std::promise<void> steps[3];
  App app([&](AppConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    for (int i = 0; i < 3; ++i) {
      connection.send("e");
      steps[i].get_future().wait();
    }
  });
  Client client(upstream_of({app.url()}));
  Recorder recorder;
  client.start(recorder, get());
  for (std::size_t i = 0; i < 3; ++i) {
    recorder.await([&] { return recorder.body.size() == i + 1; });
    steps[i].set_value();
  }
  EXPECT_EQ(recorder.await_end().result, FetchResult::CompleteByClose);
}

TEST(Flow, TellsOfAnAnswerThatBreaks) {
  // Shows each way in which an app dies in the middle of a body.
  const std::string begun[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello"};
  for (const std::string& bytes : begun) {
    for (const bool reset : {false, true}) {
      std::promise<void> arrived;
      App app([&](AppConnection& connection) {
        connection.read_head();
        connection.send(bytes);
        arrived.get_future().wait();
        if (reset) connection.reset();
      });
      Client client(upstream_of({app.url()}));
      Recorder recorder;
      client.start(recorder, get());
      recorder.await([&] { return recorder.body == "hello"; });
      arrived.set_value();
      const FetchEnd& end = recorder.await_end();
      EXPECT_EQ(end.result, FetchResult::Broken) << bytes;
      EXPECT_TRUE(end.app_sent_bytes);
      EXPECT_EQ(app.heads().size(), 1U);
    }
  }
}

}  // namespace
}  // namespace weir::upstream::test
