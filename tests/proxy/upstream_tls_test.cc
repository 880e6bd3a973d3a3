#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proxy/upstream_client.h"
#include "tests/proxy/upstream_origin.h"

namespace weir::upstream::test {
namespace {

using testing::HasSubstr;

TEST(Tls, KeepsConnections) {
  // Shows that the last look at a kept connection is not fooled by what TLS sends by itself.
  App app = App::over_tls(App::repeat(ok("hello")));
  Client client(upstream_of({app.url()}));
  for (int i = 0; i < 10; ++i) {
    Recorder recorder;
    const FetchEnd& end = client.fetch(recorder, get());
    EXPECT_EQ(end.result, FetchResult::Complete) << end.message;
    EXPECT_EQ(recorder.body, "hello");
  }
  EXPECT_EQ(app.connections(), 1);
}

TEST(Tls, RefusesAStrangersCertificate) {
  // Shows that verification is on unless it is turned off.
  App app = App::over_tls(App::repeat(ok("hello")));
  conf::Upstream config = upstream_of({app.url()});
  config.verify_tls = true;
  Client client(config);
  Recorder recorder;
  EXPECT_EQ(client.fetch(recorder, get()).result, FetchResult::Refused);
  EXPECT_TRUE(app.heads().empty());
}

TEST(Tls, NeverUsesAPoisonedConnection) {
  // Shows that bytes after the answer in the same TLS record, which no look at the socket can see,
  // and bytes in a later record reach no other request.
  const std::string evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";
  for (const bool same_record : {true, false}) {
    std::promise<void> head_there;
    std::promise<void> answered;
    std::promise<void> poisoned;
    App app = App::over_tls([&](AppConnection& connection) {
      while (!connection.read_head().empty()) {
        if (connection.number() > 0) {
          connection.send(ok("good"));
          continue;
        }
        // Apart from the head, so that the body and what follows come in one record.
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
        head_there.get_future().wait();
        connection.send("x" + (same_record ? evil : ""));
        answered.get_future().wait();
        if (!same_record) connection.send(evil);
        poisoned.set_value();
      }
    });
    Client client(upstream_of({app.url()}));
    Recorder first;
    first.head_hook = [&] { head_there.set_value(); };
    EXPECT_EQ(client.fetch(first, get()).result, FetchResult::Complete);
    answered.set_value();
    poisoned.get_future().wait();
    Recorder second;
    EXPECT_EQ(client.fetch(second, get()).result, FetchResult::Complete);
    EXPECT_EQ(second.body, "good");
    EXPECT_EQ(app.connections(), 2);
  }
}

TEST(Tls, BelievesAnEndOnlyWithTheClosingAlert) {
  // Shows that an answer whose end is the connection's is whole only if the app has said so by
  // close_notify: a bare FIN can come from anybody on the way (RFC 9112 section 9.8). What tells
  // its own length needs no alert.
  struct Case {
    const char* framing;
    bool alert;
    FetchResult result;
    const char* message = "";
  };
  const Case cases[] = {
      {"", true, FetchResult::CompleteByClose},
      {"", false, FetchResult::Broken, "the answer ended without TLS's closing alert"},
      {"Content-Length: 5\r\n", false, FetchResult::Complete},
      {"Content-Length: 6\r\n", true, FetchResult::Broken, "the answer ended too soon"},
  };
  for (const Case& tried : cases) {
    const std::string answer = std::string("HTTP/1.1 200 OK\r\n") + tried.framing + "\r\nfirst";
    App app = App::over_tls([&](AppConnection& connection) {
      connection.read_head();
      connection.send(answer);
      tried.alert ? connection.end_sending() : connection.end_bare();
      connection.read_to_end();
    });
    Client client(upstream_of({app.url()}));
    Recorder recorder;
    const FetchEnd& end = client.fetch(recorder, get());
    EXPECT_EQ(end.result, tried.result) << answer << tried.alert << end.message;
    EXPECT_THAT(end.message, HasSubstr(tried.message));
    EXPECT_EQ(recorder.body, "first");
  }
}

TEST(Tls, StreamsASlowlyReadBody) {
  // Shows that pausing works when bytes rest inside the TLS library, where no event tells of them.
  constexpr std::size_t kBytes = 4 * 1024 * 1024;
  App app = App::over_tls([](AppConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kBytes) + "\r\n\r\n");
    connection.send(std::string(kBytes, 'z'));
    connection.read_to_end();
  });
  Client client(upstream_of({app.url()}));
  Recorder recorder;
  recorder.keep_body = false;
  std::size_t next_pause = 0;
  recorder.body_hook = [&](std::string_view) {
    if (recorder.body_bytes < next_pause) return;
    next_pause = recorder.body_bytes + 30'000;
    recorder.fetch->pause();
    client.loop().post([&] { recorder.fetch->resume(); });
  };
  EXPECT_EQ(client.fetch(recorder, get()).result, FetchResult::Complete);
  EXPECT_EQ(recorder.body_bytes, kBytes);
}

}  // namespace
}  // namespace weir::upstream::test
