// What is repeated, how often, and what never is.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/proxy/upstream_client.h"
#include "tests/proxy/upstream_origin.h"

namespace weir::upstream::test {
namespace {

// Serves one request on each connection, then ends it when the next one has been read: the race
// that no look at an idle connection can see.
App::Play dies_on_second() {
  return [](AppConnection& connection) {
    connection.read_head();
    connection.send(ok("x"));
    connection.read_head();
    connection.reset();
  };
}

// Reads a request and ends the connection without a word.
App::Play says_nothing() {
  return [](AppConnection& connection) { connection.read_head(); };
}

conf::Upstream with_retries(std::vector<conf::UpstreamUrl> urls, std::uint32_t retries) {
  conf::Upstream config = upstream_of(std::move(urls));
  config.retries = retries;
  return config;
}

TEST(Retry, RepeatsAGetOnceWhenItsKeptConnectionDies) {
  // Shows that the repetition goes over a fresh connection and that the app saw three requests.
  App app(dies_on_second());
  Client client(with_retries({app.url()}, 1));
  for (int i = 0; i < 2; ++i) {
    Recorder recorder;
    EXPECT_EQ(client.fetch(recorder, get()).result, FetchResult::Complete);
  }
  EXPECT_EQ(app.heads().size(), 3U);
  EXPECT_EQ(app.connections(), 2);
}

TEST(Retry, RepeatsNothingWhenToldSo) {
  // Shows that `retries: 0` also holds when a kept connection dies.
  App app(dies_on_second());
  Client client(with_retries({app.url()}, 0));
  Recorder first;
  EXPECT_EQ(client.fetch(first, get()).result, FetchResult::Complete);
  Recorder second;
  EXPECT_EQ(client.fetch(second, get()).result, FetchResult::Broken);
  EXPECT_EQ(app.heads().size(), 2U);
}

TEST(Retry, IsBounded) {
  // Shows that an app which never answers is asked 1 + retries times.
  for (const std::uint32_t retries : {0U, 1U, 3U}) {
    App app(says_nothing());
    Client client(with_retries({app.url()}, retries));
    Recorder recorder;
    const FetchEnd& end = client.fetch(recorder, get());
    EXPECT_EQ(end.result, FetchResult::Broken);
    EXPECT_FALSE(end.app_sent_bytes);
    EXPECT_EQ(app.heads().size(), 1 + retries);
  }
}

TEST(Retry, NeverRepeatsWhatIsNotIdempotent) {
  // Shows that the app sees such a request once, with and without a kept connection.
  for (const char* method : {"POST", "PATCH", "BREW"}) {
    for (const bool warm : {false, true}) {
      App app([](AppConnection& connection) {
        while (connection.read_head().starts_with("GET")) connection.send(ok("x"));
        connection.reset();
      });
      Client client(with_retries({app.url()}, 3));
      if (warm) {
        Recorder recorder;
        client.fetch(recorder, get());
      }
      Recorder recorder;
      EXPECT_EQ(client.fetch(recorder, request_of(method)).result, FetchResult::Broken);
      EXPECT_EQ(app.heads().size(), warm ? 2U : 1U) << method;
      EXPECT_EQ(app.connections(), warm ? 2 : 1) << method;  // never over a kept one
    }
  }
}

TEST(Retry, NeverRepeatsABodyThatWasRead) {
  // Shows that an idempotent method is not repeated either once its body has begun to flow.
  App app([](AppConnection& connection) {
    connection.read_head();
    connection.read_exactly(3);
  });
  Client client(with_retries({app.url()}, 3));
  PiecedBody body;
  body.waiting = "abc";
  body.ended = true;
  FetchRequest request = post(body, 3);
  request.method = http::Method::Put;
  request.method_text = "PUT";
  Recorder recorder;
  EXPECT_EQ(client.fetch(recorder, std::move(request)).result, FetchResult::Broken);
  EXPECT_EQ(app.heads().size(), 1U);
}

TEST(Retry, NeverRepeatsAfterTheFirstByte) {
  // Shows that a cut answer is passed on as one.
  App app([](AppConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n");
  });
  Client client(with_retries({app.url()}, 3));
  Recorder recorder;
  const FetchEnd& end = client.fetch(recorder, get());
  EXPECT_EQ(end.result, FetchResult::Broken);
  EXPECT_TRUE(end.app_sent_bytes);
  EXPECT_FALSE(recorder.head);
  EXPECT_EQ(app.heads().size(), 1U);
}

TEST(Retry, GoesToTheNextAddress) {
  // Shows that a repetition asks somebody else, where there is somebody.
  App mute(says_nothing());
  App good(App::repeat(ok("good")));
  Client client(with_retries({mute.url(), good.url()}, 1));
  for (int i = 0; i < 4; ++i) {
    Recorder recorder;
    EXPECT_EQ(client.fetch(recorder, get()).result, FetchResult::Complete);
    EXPECT_EQ(recorder.body, "good");
  }
}

TEST(Retry, PassesOverAnAddressThatRefuses) {
  // Shows that any method goes on to the next address, since nothing was sent, and that the
  // refusing one is then left alone.
  App good(App::repeat(ok("good")));
  Client client(with_retries({closed_address(), good.url()}, 0));
  for (int i = 0; i < 4; ++i) {
    Recorder recorder;
    EXPECT_EQ(client.fetch(recorder, request_of("POST")).result, FetchResult::Complete);
  }
  EXPECT_FALSE(client.pool().is_up(0, client.loop().now_ms()));
  EXPECT_TRUE(client.pool().is_up(1, client.loop().now_ms()));
}

TEST(Retry, TellsAtOnceThatNobodyListens) {
  // Shows the verdict for a refused connection, for all addresses refusing, for an unknown name and
  // for a socket that is not there.
  conf::UpstreamUrl nameless = closed_address();
  nameless.host = "name.invalid";
  conf::UpstreamUrl no_socket;
  no_socket.kind = conf::UpstreamUrl::Kind::Unix;
  no_socket.host = "localhost";
  no_socket.socket_path = "/nonexistent/app.sock";
  const std::vector<std::vector<conf::UpstreamUrl>> cases = {
      {closed_address()}, {closed_address(), closed_address()}, {nameless}, {no_socket}};
  for (const auto& urls : cases) {
    Client client(with_retries(urls, 1));
    Recorder recorder;
    const FetchEnd& end = client.fetch(recorder, get());
    EXPECT_EQ(end.result, FetchResult::Refused) << end.message;
    EXPECT_FALSE(end.app_sent_bytes);
    EXPECT_FALSE(end.message.empty());
  }
}

}  // namespace
}  // namespace weir::upstream::test
