// Fetches dropped and started at every stage of others.

#include <gtest/gtest.h>

#include "tests/proxy/upstream_client.h"
#include "tests/proxy/upstream_origin.h"

namespace weir::upstream::test {
namespace {

TEST(Drop, MayBeDroppedAtEveryStage) {
  // Shows that a sink may drop its fetch inside each of its calls, that nothing is told after, and
  // that the fetcher goes on.
  App app([](AppConnection& connection) {
    while (!connection.read_head().empty()) {
      connection.send("HTTP/1.1 103 Early Hints\r\n\r\n" + ok("hello"));
    }
  });
  Client client(upstream_of({app.url()}));
  for (int stage = 0; stage < 6; ++stage) {
    Recorder recorder;
    std::promise<void> dropped;
    const auto drop = [&] {
      recorder.fetch.reset();
      dropped.set_value();
    };
    if (stage == 0) recorder.informational_hook = drop;
    if (stage == 1) recorder.head_hook = drop;
    if (stage == 2) recorder.body_hook = [&](std::string_view) { drop(); };
    if (stage == 3) recorder.end_hook = drop;
    client.on_loop([&] {
      recorder.fetch = client.fetcher().start(get(), recorder);
      if (stage == 4) drop();
      if (stage == 5) client.loop().post(drop);
    });
    dropped.get_future().wait();
    Recorder next;
    EXPECT_EQ(client.fetch(next, get()).result, FetchResult::Complete);
    // A drop that is posted may find the answer there already.
    EXPECT_TRUE(stage == 5 || recorder.body.empty() == (stage < 2 || stage == 4));
  }
}

TEST(Drop, MayBeDroppedWhilePausedOrUploading) {
  // Shows that a paused answer and a waiting upload are given up cleanly: the app sees the
  // connection end.
  std::promise<std::string> ends[2];
  App app([&](AppConnection& connection) {
    const bool upload = connection.read_head().starts_with("POST");
    if (!upload) {
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhello");
    }
    ends[upload ? 1 : 0].set_value(connection.read_to_end());
  });
  Client client(upstream_of({app.url()}));
  Recorder paused;
  paused.body_hook = [&](std::string_view) { paused.fetch->pause(); };
  client.start(paused, get());
  paused.await([&] { return paused.body == "hello"; });
  client.on_loop([&] { paused.fetch.reset(); });
  EXPECT_EQ(ends[0].get_future().get(), "");
  auto body = std::make_unique<PiecedBody>();
  std::promise<void> asked;
  body->on_read = [&] { asked.set_value(); };
  Recorder upload;
  client.start(upload, post(*body, 9));
  asked.get_future().wait();
  client.on_loop([&] {
    upload.fetch.reset();
    body.reset();  // its owner may let go at once
  });
  EXPECT_EQ(ends[1].get_future().get(), "");
}

TEST(Drop, StartsFetchesFromWithinCalls) {
  // Shows that a sink may start the next fetch inside each call of the one before.
  App app(App::repeat(ok("hello")));
  Client client(upstream_of({app.url()}));
  Recorder outer;
  Recorder inner[3];
  outer.head_hook = [&] { inner[0].fetch = client.fetcher().start(get(), inner[0]); };
  outer.body_hook = [&](std::string_view) {
    inner[1].fetch = client.fetcher().start(get(), inner[1]);
  };
  outer.end_hook = [&] { inner[2].fetch = client.fetcher().start(get(), inner[2]); };
  EXPECT_EQ(client.fetch(outer, get()).result, FetchResult::Complete);
  for (Recorder& r : inner) EXPECT_EQ(r.await_end().result, FetchResult::Complete);
}

TEST(Drop, SurvivesItsFetcher) {
  // Shows that a fetcher which goes away ends its fetches in silence.
  App app(App::once(""));
  Recorder recorder;
  {
    Client client(upstream_of({app.url()}));
    client.start(recorder, get());
  }
  recorder.fetch->pause();
  recorder.fetch.reset();
  EXPECT_FALSE(recorder.head);
}

}  // namespace
}  // namespace weir::upstream::test
