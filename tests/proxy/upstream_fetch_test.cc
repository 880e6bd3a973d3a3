#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "proxy/upstream/curl_global.h"
#include "tests/proxy/upstream_client.h"
#include "tests/proxy/upstream_origin.h"

namespace weir::upstream::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(WireFetch, SendsNothingThatWeDidNotWrite) {
  // Shows the exact bytes of a plain GET: no field that nobody asked for, the target as it stands.
  App app(App::repeat(ok("x")));
  Client client(upstream_of({app.url()}));
  Recorder recorder;
  FetchRequest request = get("/a/../b//%2e?x=[1]&y='{}'");
  request.fields.add("X-One", "1");
  request.fields.add("X-Empty", "");
  request.fields.add("X-One", "again: \"quoted\"; \xC3\xA9");
  EXPECT_EQ(client.fetch(recorder, std::move(request)).result, FetchResult::Complete);
  EXPECT_THAT(app.heads(), ElementsAre("GET /a/../b//%2e?x=[1]&y='{}' HTTP/1.1\r\n"
                                       "Host: app.test\r\n"
                                       "X-One: 1\r\n"
                                       "X-Empty: \r\n"
                                       "X-One: again: \"quoted\"; \xC3\xA9\r\n"
                                       "\r\n"));
}

TEST(WireFetch, SendsEachMethodWithItsFraming) {
  // Shows that a method without a body says so only where one is expected, whatever came before it
  // on the same connection.
  App app(App::repeat("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  Client client(upstream_of({app.url()}));
  const std::pair<const char*, const char*> cases[] = {
      {"GET", ""},     {"POST", "Content-Length: 0\r\n"},
      {"DELETE", ""},  {"PUT", "Content-Length: 0\r\n"},
      {"HEAD", ""},    {"PATCH", "Content-Length: 0\r\n"},
      {"OPTIONS", ""}, {"BREW", ""},
      {"HEAD", ""},    {"GET", ""}};
  for (const auto& [method, framing] : cases) {
    Recorder recorder;
    EXPECT_EQ(client.fetch(recorder, request_of(method, "*")).result, FetchResult::Complete);
    EXPECT_EQ(app.heads().back(),
              std::string(method) + " * HTTP/1.1\r\nHost: app.test\r\n" + framing + "\r\n");
  }
}

TEST(WireFetch, LeavesOutWhatBelongsToOneConnection) {
  // Shows that framing, Expect, TE and hop-by-hop fields never come from the caller's list.
  App app(App::repeat(ok("x")));
  Client client(upstream_of({app.url()}));
  Recorder recorder;
  FetchRequest request = get();
  for (const char* name : {"Content-Length", "Transfer-Encoding", "TE", "Expect", "Connection",
                           "Keep-Alive", "Upgrade", "Host", "Proxy-Connection"}) {
    request.fields.add(name, "1");
  }
  request.fields.add("Accept", "text/html");
  client.fetch(recorder, std::move(request));
  EXPECT_THAT(app.heads(),
              ElementsAre("GET / HTTP/1.1\r\nHost: app.test\r\nAccept: text/html\r\n\r\n"));
}

TEST(WireFetch, DeliversHeadAndBody) {
  // Shows that status, reason, fields in order and the body arrive as they were sent.
  App app(
      App::repeat("HTTP/1.1 404 Nicht da\r\nB: 1\r\nA:  2 \r\nB: 3\r\n"
                  "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"));
  Client client(upstream_of({app.url()}));
  Recorder recorder;
  const FetchEnd& end = client.fetch(recorder, get());
  EXPECT_EQ(end.result, FetchResult::Complete);
  EXPECT_TRUE(end.app_sent_bytes);
  ASSERT_TRUE(recorder.head);
  EXPECT_EQ(recorder.head->status, 404);
  EXPECT_EQ(recorder.head->reason, "Nicht da");
  EXPECT_EQ(recorder.head->fields.size(), 5U);
  EXPECT_EQ(recorder.head->fields[1].value, "2");
  EXPECT_EQ(recorder.body, "hello");
}

TEST(WireFetch, DecodesChunkedAndNothingElse) {
  // Shows that the transfer coding is taken off, trailers dropped, content codings left alone.
  App app(
      App::repeat("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
                  "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nX-Trailer: evil\r\n\r\n"));
  Client client(upstream_of({app.url()}));
  for (int i = 0; i < 3; ++i) {
    Recorder recorder;
    EXPECT_EQ(client.fetch(recorder, get()).result, FetchResult::Complete);
    EXPECT_EQ(recorder.body, "abcdefg");
    EXPECT_FALSE(recorder.head->fields.find("X-Trailer"));
    EXPECT_EQ(recorder.head->framing, http::Framing::Chunked);
  }
  EXPECT_EQ(app.connections(), 1);
}

TEST(WireFetch, TakesABodyThatEndsWithTheConnection) {
  // Shows that such an answer is told apart from one that is known to be whole.
  App app([](AppConnection& connection) {
    connection.read_head();
    connection.send("HTTP/1.1 200 OK\r\n\r\nsome");
  });
  Client client(upstream_of({app.url()}));
  Recorder recorder;
  EXPECT_EQ(client.fetch(recorder, get()).result, FetchResult::CompleteByClose);
  EXPECT_EQ(recorder.body, "some");
}

TEST(WireFetch, RelaysInterimHeads) {
  // Shows that 1xx heads come before the head, each by itself.
  App app(App::repeat(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok("x")));
  Client client(upstream_of({app.url()}));
  Recorder recorder;
  EXPECT_EQ(client.fetch(recorder, get()).result, FetchResult::Complete);
  EXPECT_THAT(recorder.informational, ElementsAre(100, 103));
  EXPECT_EQ(recorder.head->status, 200);
}

TEST(WireFetch, KnowsAnswersWithoutABody) {
  // Shows that HEAD, 204 and 304 end with their heads, whatever these announce.
  App app([](AppConnection& connection) {
    for (std::string head; !(head = connection.read_head()).empty();) {
      if (head.starts_with("HEAD"))
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
      if (head.find("/204") != head.npos) connection.send("HTTP/1.1 204 None\r\n\r\n");
      if (head.find("/304") != head.npos) {
        connection.send("HTTP/1.1 304 Same\r\nContent-Length: 99\r\nETag: \"a\"\r\n\r\n");
      }
    }
  });
  Client client(upstream_of({app.url()}));
  const std::pair<const char*, const char*> cases[] = {
      {"GET", "/204"}, {"GET", "/304"}, {"HEAD", "/"}, {"GET", "/204"}};
  for (const auto& [method, target] : cases) {
    Recorder recorder;
    EXPECT_EQ(client.fetch(recorder, request_of(method, target)).result, FetchResult::Complete);
    EXPECT_EQ(recorder.head->framing, http::Framing::None);
    EXPECT_EQ(recorder.body, "");
  }
}

TEST(WireFetch, FollowsNothingAndRemembersNothing) {
  // Shows that redirects, cookies and challenges are the client's business.
  App app(
      App::repeat("HTTP/1.1 302 Found\r\nLocation: /other\r\nSet-Cookie: a=b\r\n"
                  "WWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"));
  Client client(upstream_of({app.url()}));
  for (int i = 0; i < 2; ++i) {
    Recorder recorder;
    client.fetch(recorder, get());
    EXPECT_EQ(recorder.head->status, 302);
  }
  ASSERT_EQ(app.heads().size(), 2U);
  EXPECT_THAT(app.heads()[1], Not(HasSubstr("Cookie")));
}

TEST(WireFetch, IgnoresProxiesOfTheEnvironment) {
  // Shows that http_proxy and friends do not send the app's requests elsewhere.
  App proxy(App::repeat(ok("proxy")));
  App app(App::repeat(ok("app")));
  const std::string address = "http://127.0.0.1:" + std::to_string(proxy.port());
  setenv("http_proxy", address.c_str(), 1);
  setenv("all_proxy", address.c_str(), 1);
  {
    Client client(upstream_of({app.url()}));
    Recorder recorder;
    client.fetch(recorder, get());
    EXPECT_EQ(recorder.body, "app");
  }
  unsetenv("http_proxy");
  unsetenv("all_proxy");
}

TEST(WireFetch, ReachesEveryKindOfAddress) {
  // Shows an IPv6 literal and a Unix socket, and that both keep their connections.
  const std::string path = "/tmp/weir-upstream-" + std::to_string(getpid()) + ".sock";
  App six = App::over_ipv6(App::repeat(ok("six")));
  App local = App::at_unix_socket(path, App::repeat(ok("unix")));
  for (const auto& [app, body] : {std::pair(&six, "six"), std::pair(&local, "unix")}) {
    Client client(upstream_of({app->url()}));
    for (int i = 0; i < 3; ++i) {
      Recorder recorder;
      EXPECT_EQ(client.fetch(recorder, get()).result, FetchResult::Complete);
      EXPECT_EQ(recorder.body, body);
    }
    EXPECT_EQ(app->connections(), 1) << body;
  }
}

TEST(WireFetch, ChoosesTheHost) {
  // Shows preserve, upstream and a fixed name, and what an empty one becomes.
  App app(App::repeat(ok("x")));
  const std::string own = "127.0.0.1:" + std::to_string(app.port());
  using Host = conf::Upstream::Host;
  const std::tuple<Host, std::string, std::string> cases[] = {
      {Host::Preserve, "app.test", "app.test"},
      {Host::Preserve, "", own},
      {Host::Upstream, "app.test", own},
      {Host::Fixed, "app.test", "fixed"}};
  for (const auto& [choice, asked, sent] : cases) {
    conf::Upstream config = upstream_of({app.url()});
    config.host = choice;
    config.fixed_host = "fixed";
    Client client(config);
    Recorder recorder;
    FetchRequest request = get();
    request.host = asked;
    client.fetch(recorder, std::move(request));
    EXPECT_THAT(app.heads().back(), HasSubstr("Host: " + sent + "\r\n"));
  }
}

TEST(WireFetch, SendsNoRequestThatCouldBeTwo) {
  // Shows that CR, LF and NUL in any part stop the request before a connection is made.
  App app(App::repeat(ok("x")));
  Client client(upstream_of({app.url()}));
  const std::string nul("a\0b", 3);
  for (const std::string& bad : {std::string("a\rb"), std::string("a\nb"), nul}) {
    for (int part = 0; part < 5; ++part) {
      FetchRequest request = get();
      if (part == 0) request.target = "/" + bad;
      if (part == 1) request.host = bad;
      if (part == 2) request.method_text = bad;
      if (part == 3) request.fields.add("X-" + bad, "1");
      if (part == 4) request.fields.add("X", bad);
      Recorder recorder;
      EXPECT_EQ(client.fetch(recorder, std::move(request)).result, FetchResult::Refused);
    }
  }
  EXPECT_EQ(app.connections(), 0);
}

TEST(WireFetch, TellsTheLibrary) {
  // Shows that the version for the start-up line is the linked library's.
  EXPECT_THAT(linked_curl_version(), testing::StartsWith("libcurl/"));
}

}  // namespace
}  // namespace weir::upstream::test
