// What bounds a client: sizes, times, numbers of connections and descriptors.
#include <unistd.h>

#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

class Limits : public E2e {
 protected:
  void SetUp() override {
    origin_.otherwise([](const Request& request) { return cacheable("app " + request.path); });
  }
};

TEST_F(Limits, LongRequestLinesAre414) {
  // limits.request_line bounds the line, whether its end is in sight or not.
  start(std::string(kCacheAll) + "limits: { request_line: 256 }\n");
  EXPECT_EQ(get("/" + std::string(150, 'a')).status, 200);
  for (const std::string& line : {"GET /" + std::string(300, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n",
                                  "GET /" + std::string(4000, 'a')}) {
    Client one = client();
    one.send(line);
    EXPECT_EQ(one.read().status, 414);
    EXPECT_TRUE(one.closed());
  }
  EXPECT_EQ(origin_.hits(), 1);
}

TEST_F(Limits, LargeOrManyHeadersAre431) {
  // limits.headers in bytes, limits.header_count in lines.
  start(std::string(kCacheAll) + "limits: { headers: 1KiB, header_count: 10 }\n");
  EXPECT_EQ(get("/a", {{"X-Long", std::string(500, 'a')}}).status, 200);
  std::string many;
  for (int i = 0; i < 12; ++i) many += "X-" + std::to_string(i) + ": v\r\n";
  for (const std::string& fields : {"X-Long: " + std::string(1200, 'a') + "\r\n", many}) {
    Client one = client();
    one.send("GET /a HTTP/1.1\r\nHost: app.test\r\n" + fields + "\r\n");
    EXPECT_EQ(one.read().status, 431);
    EXPECT_TRUE(one.closed());
  }
}

TEST_F(Limits, TheDefaultsAre8KiBAnd32KiBAnd100) {
  // The limits that hold without a word in the configuration.
  start(kCacheAll);
  EXPECT_EQ(get("/" + std::string(8'000, 'a')).status, 200);
  EXPECT_EQ(get("/" + std::string(8'300, 'a')).status, 414);
  EXPECT_EQ(get("/a", {{"X-Long", std::string(30'000, 'a')}}).status, 200);
  EXPECT_EQ(get("/a", {{"X-Long", std::string(33'000, 'a')}}).status, 431);
}

TEST_F(Limits, AHeadThatDoesNotComeInTimeIs408) {
  // header_timeout is total: a client that drips bytes does not escape it.
  start(std::string(kCacheAll) + "limits: { header_timeout: 300ms }\n");
  Client stuck = client();
  stuck.send("GET /a HT");
  EXPECT_EQ(stuck.read().status, 408);
  EXPECT_TRUE(stuck.closed());
  Client dripping = client();
  dripping.send("GET /a HTTP/1.1\r\nX: ");
  const Deadline deadline;
  while (!dripping.readable_now() && !deadline.passed()) {
    dripping.send("a");
    pause_briefly();
  }
  EXPECT_EQ(dripping.read().status, 408);
  EXPECT_EQ(origin_.hits(), 0);
}

TEST_F(Limits, ABodyThatStopsComingIsCut) {
  // body_timeout between bytes: 408 to the client, and the app's request is never completed.
  start(std::string(kCacheAll) + "limits: { body_timeout: 300ms }\n");
  Client one = client();
  one.send("POST /up HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100\r\n\r\nonly this");
  EXPECT_EQ(one.read().status, 408);
  EXPECT_TRUE(one.closed());
  EXPECT_EQ(origin_.hits("/up"), 0);
}

TEST_F(Limits, TooLargeBodiesAre413) {
  // max_body is judged by the announced length at once, and by counting where none is announced.
  start(std::string(kCacheAll) + "limits: { max_body: 1KiB }\n");
  EXPECT_EQ(client().request("POST", "/up", {}, std::string(1024, 'a')).status, 200);
  Client announced = client();
  announced.send("POST /up HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1025\r\n\r\n");
  EXPECT_EQ(announced.read().status, 413);
  EXPECT_TRUE(announced.closed());
  Client counted = client();
  counted.send("POST /up HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n401\r\n" +
               std::string(1025, 'a') + "\r\n");
  EXPECT_EQ(counted.read().status, 413);
  EXPECT_EQ(origin_.hits("/up"), 1);
}

TEST_F(Limits, IdleConnectionsEndWithoutAWord) {
  // keepalive_timeout between requests: the connection ends, no 408 is sent.
  start(std::string(kCacheAll) + "limits: { keepalive_timeout: 200ms }\n");
  Client one = client();
  EXPECT_EQ(one.get("/a").status, 200);
  EXPECT_TRUE(one.closed());
  EXPECT_TRUE(client().closed()) << "nor without a first request";
}

TEST_F(Limits, AReaderThatDoesNotReadIsCutOff) {
  // send_timeout: without progress for so long, the connection and its memory are given back.
  origin_.on("/big", cacheable(std::string(12 * 1024 * 1024, 'x')));
  start(std::string(kCacheAll) + "limits: { send_timeout: 300ms }\n");
  EXPECT_EQ(get("/big").body.size(), 12U * 1024 * 1024);
  const int before = weir().figures().open_fds;
  Client stuck = client(4096);
  stuck.send(Client::message("GET", "/big"));
  EXPECT_THAT(stuck.read_some(12), testing::HasSubstr("HTTP/1.1 200"));
  EXPECT_TRUE(eventually([&] { return weir().figures().open_fds <= before; }));
  EXPECT_TRUE(cache_status(get("/big")).hit);
}

TEST_F(Limits, AClientThatResetsBehindUnreadBytesIsNoticed) {
  // What it sent ahead has filled what is taken ahead, so it is not read any more; the app's silent
  // stream must end all the same.
  origin_.on("/events",
             Reply(200).header("Content-Type", "text/event-stream").chunked().part(": hi").hang());
  start("routes: []\n");
  Client one = client();
  one.send(Client::message("GET", "/events"));
  EXPECT_EQ(one.read_head().status, 200);
  one.send(std::string(70'000, 'y'));
  ASSERT_TRUE(eventually([&] { return waiting_at_port(weir().port()) == 70'000 - 64 * 1024; }));
  one.reset();
  EXPECT_TRUE(eventually([&] { return origin_.open_connections() == 0; }));
}

TEST_F(Limits, ConnectionsAreBounded) {
  // Past limits.connections newcomers are turned away or wait; when there is room again they are
  // served.
  const Gate gate;
  origin_.on("/held", Reply(200).body("held").gate_head(gate));
  start("routes: []\nworkers: 1\nlimits: { connections: 2 }\n");
  {
    Client first = client();
    Client second = client();
    first.send(Client::message("GET", "/held"));
    second.send(Client::message("GET", "/held"));
    gate.await_arrivals(2);
    Client third = client();
    third.send(Client::message("GET", "/held"));
    EXPECT_THAT(third.read_some(), testing::AnyOf("", testing::StartsWith("HTTP/1.1 503")));
    EXPECT_EQ(gate.arrivals(), 2);
    gate.open();
    EXPECT_EQ(first.read().body, "held");
    EXPECT_EQ(second.read().body, "held");
  }
  EXPECT_TRUE(eventually([&] {
    Client one = client();
    one.send(Client::message("GET", "/again"));
    return one.read_some().starts_with("HTTP/1.1 200");
  }));
}

TEST_F(Limits, IdleConnectionsAreCheap) {
  // Two thousand kept connections cost a few KiB each, and a newcomer is served as ever.
  raise_fd_limit();
  start(std::string(kCacheAll) + "access_log: off\n");
  get("/a");
  const long before = weir().figures().rss_kib;
  std::vector<Client> crowd;
  for (int i = 0; i < 2000; ++i) {
    crowd.push_back(client());
    ASSERT_EQ(crowd.back().get("/a").status, 200);
  }
  EXPECT_LT(weir().figures().rss_kib - before, 2000 * (is_sanitized() ? 64 : 8));
  EXPECT_TRUE(cache_status(get("/a")).hit);
}

TEST_F(Limits, RunningOutOfDescriptorsIsSurvived) {
  // EMFILE: those connected are served on, the process does not spin, and it recovers.
  raise_fd_limit();
  Launch launch{.yaml = "", .max_fds = 64};
  start(std::string(kCacheAll) + "workers: 1\n", launch);
  Client inside = client();
  EXPECT_EQ(inside.get("/a").status, 200);
  {
    std::vector<Client> crowd;
    for (int i = 0; i < 100; ++i) crowd.push_back(client());
    EXPECT_EQ(inside.get("/a").status, 200);
    const auto began = std::chrono::steady_clock::now();
    const long ticks = weir().figures().cpu_ticks;
    while (std::chrono::steady_clock::now() - began < std::chrono::seconds(1)) pause_briefly();
    const long spent = weir().figures().cpu_ticks - ticks;
    EXPECT_LT(spent, sysconf(_SC_CLK_TCK) / 5 + 1) << "it spins";
    EXPECT_TRUE(cache_status(inside.get("/a")).hit);
  }
  EXPECT_TRUE(eventually([&] {
    try {
      return get("/b").status == 200;
    } catch (const std::exception&) {
      return false;  // turned away still
    }
  }));
}

}  // namespace
}  // namespace weir::test
