// An app that is down, slow, or talks nonsense.
#include <sys/socket.h>

#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

class UpstreamFault : public E2e {
 protected:
  void start_with(const std::string& upstream, const std::string& more = {}) {
    start(std::string(kCacheAll) + "upstream: { url: \"" + origin_.url() + "\", " + upstream +
          " }\n" + more);
  }
};

TEST_F(UpstreamFault, ADeadAppIs502AtOnce) {
  // Connection refused: 502 without delay, a short body, its detail, and the next one works.
  const Socket dead = Socket::refuse_tcp();
  start(std::string(kCacheAll) + "upstream: http://127.0.0.1:" + std::to_string(dead.port()) +
        "\n");
  const auto began = std::chrono::steady_clock::now();
  Client one = client();
  for (int i = 0; i < 2; ++i) {
    const Response response = one.get("/a");
    EXPECT_EQ(response.status, 502);
    EXPECT_EQ(cache_status(response).detail, "upstream-error");
    EXPECT_LT(response.body.size(), 512U);
    EXPECT_FALSE(cache_status(response).stored);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began,
            std::chrono::seconds(is_sanitized() ? 10 : 1));
  EXPECT_EQ(client().request("POST", "/a", {}, "x").status, 502);
}

TEST_F(UpstreamFault, AHangingAppIs504AfterItsTimeout) {
  // first_byte_timeout ends the wait; other requests are served meanwhile.
  origin_.on("/hang", Reply::raw("").hang());
  origin_.on("/ok", cacheable("ok"));
  start_with("first_byte_timeout: 300ms");
  Client stuck = client();
  stuck.send(Client::message("GET", "/hang"));
  EXPECT_EQ(get("/ok").body, "ok");
  const Response response = stuck.read();
  EXPECT_EQ(response.status, 504);
  EXPECT_EQ(cache_status(response).detail, "upstream-timeout");
  EXPECT_TRUE(eventually([&] { return origin_.open_connections() <= 1; })) << "the slot is freed";
}

TEST_F(UpstreamFault, AnAppThatDoesNotAcceptIs504AfterConnectTimeout) {
  // A listener whose queue is full answers no SYN: connect_timeout ends the wait.
  Socket full = Socket::listen_tcp();
  listen(full.fd(), 0);
  std::vector<Socket> queue;
  while (queue.size() < 8) queue.push_back(Socket::begin_connect_tcp(full.port()));
  ASSERT_TRUE(eventually([&] { return waiting_at_port(full.port()) > 0; }));
  start(std::string(kCacheAll) + "upstream: { url: \"http://127.0.0.1:" +
        std::to_string(full.port()) + "\", connect_timeout: 300ms, retries: 0 }\n");
  const Response response = get("/a");
  EXPECT_EQ(response.status, 504);
  EXPECT_EQ(cache_status(response).detail, "upstream-timeout");
}

TEST_F(UpstreamFault, AnAppThatStopsMidBodyIsCut) {
  // idle_timeout between bytes: the client sees a short body, and nothing is stored.
  origin_.script("/a",
                 {Reply(200).header("Cache-Control", "max-age=60").length(100).part("start").hang(),
                  cacheable("good")});
  start_with("idle_timeout: 300ms");
  const Response cut = get("/a");
  EXPECT_EQ(cut.status, 200);
  EXPECT_FALSE(cut.complete);
  EXPECT_EQ(get("/a").body, "good");
}

TEST_F(UpstreamFault, DyingMidBodyIsVisible) {
  // FIN or RST, with a length or in chunks: a cut answer, never stored, and the next one is clean.
  const auto begin = [](bool as_chunks) {
    Reply reply = Reply(200).header("Cache-Control", "max-age=60");
    if (as_chunks) {
      reply.chunked();
    } else {
      reply.length(100);
    }
    return reply.part("only this");
  };
  start_with("retries: 1");
  int n = 0;
  for (const bool as_chunks : {false, true}) {
    for (const bool by_reset : {false, true}) {
      const std::string path = "/" + std::to_string(n++);
      Reply dying = begin(as_chunks);
      if (by_reset) {
        dying.reset();
      } else {
        dying.close();
      }
      origin_.script(path, {dying, cacheable("good")});
      const Response cut = get(path);
      EXPECT_TRUE(!cut.complete || cut.status == 502) << path;
      const Response next = get(path);
      EXPECT_EQ(next.body, "good") << path;
      EXPECT_FALSE(cache_status(next).hit) << path;
    }
  }
}

struct Garbage {
  const char* name;
  std::string bytes;
};

// Answers with two readings or none.
std::vector<Garbage> garbage() {
  const std::string ok = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n";
  return {
      {"not http", "SSH-2.0-OpenSSH\r\n\r\n"},
      {"http 0.9", "just text"},
      {"version", "HTTP/2.0 200 OK\r\n\r\n"},
      {"status", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"},
      {"status word", "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"},
      {"two lengths", ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"},
      {"equal lengths", ok + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
      {"length list", ok + "Content-Length: 5, 7\r\n\r\nhello"},
      {"length suffix", ok + "Content-Length: 5abc\r\n\r\nhello"},
      {"length sign", ok + "Content-Length: +5\r\n\r\nhello"},
      {"length minus", ok + "Content-Length: -5\r\n\r\nhello"},
      {"length empty", ok + "Content-Length:\r\n\r\nhello"},
      {"length overflow", ok + "Content-Length: 18446744073709551621\r\n\r\nhello"},
      {"length and chunked",
       ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
      {"space before colon", ok + "Content-Length : 5\r\n\r\nhello"},
      {"unknown coding", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
      {"chunked twice",
       ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"folded", ok + "X: a\r\n b\r\nContent-Length: 5\r\n\r\nhello"},
      {"no colon", ok + "nonsense\r\nContent-Length: 5\r\n\r\nhello"},
      {"bad name", ok + "a b: c\r\nContent-Length: 5\r\n\r\nhello"},
      {"bare CR", ok + "X: a\rY: b\r\nContent-Length: 5\r\n\r\nhello"},
      {"NUL", ok + std::string("X: a\0b\r\n", 8) + "Content-Length: 5\r\n\r\nhello"},
      {"chunk size", ok + "Transfer-Encoding: chunked\r\n\r\n5xyz\r\nhello\r\n0\r\n\r\n"},
      {"chunk size 0x", ok + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"},
      {"chunk bare LF", ok + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"},
      {"chunk too long", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n"},
      {"chunk cut", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"},
      {"unsolicited 101",
       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"},
      {"endless head", ok + "X: " + std::string(200'000, 'x') + "\r\n\r\n"},
      {"head cut", "HTTP/1.1 200 OK\r\nContent-"},
      {"nothing", ""},
  };
}

TEST_F(UpstreamFault, GarbageIs502OrCutAndNeverStored) {
  // Every answer with two readings or none: refused, its connection not used again.
  origin_.on("/ok", cacheable("fine", "no-store"));
  start_with("retries: 0");
  int n = 0;
  for (const Garbage& row : garbage()) {
    SCOPED_TRACE(row.name);
    const std::string path = "/bad" + std::to_string(n++);
    origin_.script(path, {Reply::raw(row.bytes).close(), cacheable("good")});
    const Response response = get(path);
    EXPECT_TRUE(response.status == 502 || !response.complete) << response.status << response.body;
    if (response.status == 502) {
      EXPECT_EQ(cache_status(response).detail, "upstream-error");
    }
    EXPECT_EQ(get("/ok").body, "fine");
    EXPECT_NE(origin_.last("/ok").connection, origin_.last(path).connection) << "reused";
    const Response next = get(path);
    EXPECT_EQ(next.body, "good");
    EXPECT_FALSE(cache_status(next).hit);
  }
}

TEST_F(UpstreamFault, AnEndlessChainOfInterimAnswersIsRefused) {
  // 1xx heads are bounded in number.
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "HTTP/1.1 103 Early Hints\r\n\r\n";
  origin_.on("/a", Reply::raw(many + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  start_with("retries: 0");
  EXPECT_EQ(get("/a").status, 502);
}

TEST_F(UpstreamFault, ExcessBytesNeverAnswerTheNextRequest) {
  // Response queue poisoning: what stands behind an answer is not the answer to another request.
  const std::string evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
  const std::vector<Garbage> rows = {
      {"after a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
      {"after chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
      {"after 204", "HTTP/1.1 204 No Content\r\n\r\n"},
      {"after length 0", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
  };
  start_with("retries: 1", "workers: 1\n");
  origin_.on("/next", Reply(200).body("mine"));
  for (const Garbage& row : rows) {
    SCOPED_TRACE(row.name);
    origin_.on("/first", Reply::raw(row.bytes + evil));
    get("/first");
    EXPECT_EQ(get("/next").body, "mine");
    EXPECT_EQ(client().request("POST", "/next", {}, "x").body, "mine");
  }
}

TEST_F(UpstreamFault, AStaleConnectionIsRetriedOnceForGet) {
  // The app closes a kept connection when the next request comes: a GET tries once more.
  origin_.on("/warm", Reply(200).body("warm"));
  origin_.script("/a", {Reply::raw("").reset(), Reply(200).body("second try")});
  start_with("retries: 1", "workers: 1\n");
  get("/warm");
  EXPECT_EQ(get("/a").body, "second try");
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(UpstreamFault, APostIsNeverSentTwice) {
  // RFC 9110 9.2.2: not even when the connection died before the first byte of an answer.
  origin_.on("/warm", Reply(200).body("warm"));
  origin_.on("/a", Reply::raw("").reset());
  start_with("retries: 1", "workers: 1\n");
  for (const char* method : {"POST", "PATCH"}) {
    const int before = origin_.hits("/a");
    for (int i = 0; i < 3; ++i) get("/warm");
    EXPECT_EQ(client().request(method, "/a", {}, "pay").status, 502);
    EXPECT_EQ(client().request(method, "/a", {{"Content-Length", "0"}}).status, 502);
    EXPECT_EQ(origin_.hits("/a"), before + 2) << method;
  }
}

TEST_F(UpstreamFault, AFailedGetIsRetriedNoMoreThanRetriesSays) {
  // retries: 1 is two attempts, 0 is one.
  origin_.on("/a", Reply::raw("").close());
  start_with("retries: 1");
  EXPECT_EQ(get("/a").status, 502);
  EXPECT_LE(origin_.hits("/a"), 2);
}

TEST_F(UpstreamFault, ConnectionsToTheAppAreBoundedAndReused) {
  // max_connections holds for the whole process; requests wait for a free one and all are served.
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  const Gate gate;
  origin_.on("/a", [&](const Request&) {
    const int now = ++running;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    gate.pass({});
    --running;
    return Reply(200).header("Cache-Control", "no-store").body("x");
  });
  start("routes: []\nupstream: { url: \"" + origin_.url() + "\", max_connections: 4 }\n");
  std::vector<Client> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(client());
    all.back().send(Client::message("GET", "/a"));
  }
  await_all_taken();
  gate.await_arrivals(1);
  gate.open();
  for (Client& one : all) EXPECT_EQ(one.read().body, "x");
  EXPECT_LE(most, 4);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get("/a").body, "x");
  EXPECT_LE(origin_.open_connections(), 4);
}

TEST_F(UpstreamFault, AUnixSocketIsAnAddressToo) {
  // upstream: unix:/path; Host is preserved, hostname false means localhost.
  TempDir folder;
  Origin app(folder.file("app.sock"));
  app.on("/a", [](const Request& request) { return cacheable(request.fields.joined("Host")); });
  start(std::string(kCacheAll) + "upstream: unix:" + folder.file("app.sock") + "\n");
  EXPECT_EQ(get("/a").body, "app.test");
  EXPECT_TRUE(status_of("/a").hit);
  app.stop();
  EXPECT_EQ(get("/b").status, 502);
}

TEST_F(UpstreamFault, SeveralUrlsShareTheLoad) {
  // Requests are spread over all of them; the death of one is survived.
  Origin other;
  for (Origin* app : {&origin_, &other}) app->on("/a", Reply(200).body("x"));
  start("routes: []\nupstream: { urls: [ \"" + origin_.url() + "\", \"" + other.url() + "\" ] }\n");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get("/a").body, "x");
  EXPECT_GT(origin_.hits("/a"), 0);
  EXPECT_GT(other.hits("/a"), 0);
  other.stop();
  int good = 0;
  for (int i = 0; i < 20; ++i) good += get("/a").status == 200 ? 1 : 0;
  EXPECT_GE(good, 19) << "a GET that finds one dead tries the other";
}

TEST_F(UpstreamFault, ClientsThatHangUpLeaveNothingBehind) {
  // Aborted downloads and waits, a hundred times: no descriptor is lost, the next answer is good.
  const Gate gate;
  origin_.on("/wait", Reply(200).header("Cache-Control", "no-store").gate_head(gate).body("x"));
  origin_.on("/big",
             Reply(200).header("Cache-Control", "no-store").body(std::string(4'000'000, 'x')));
  origin_.on("/ok", Reply(200).body("ok"));
  start("routes: []\n");
  get("/ok");
  const int before = weir().figures().open_fds;
  for (int i = 0; i < 100; ++i) {
    Client one = client();
    one.send(Client::message("GET", i % 2 == 0 ? "/wait" : "/big"));
    if (i % 2 != 0) one.read_some(100);
    one.reset();
  }
  gate.open();
  EXPECT_TRUE(eventually([&] { return weir().figures().open_fds <= before + 2; }));
  EXPECT_EQ(get("/ok").body, "ok");
}

}  // namespace
}  // namespace weir::test
