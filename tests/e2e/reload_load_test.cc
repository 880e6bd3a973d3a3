// Reloads, and the end, while clients ask without a pause: nobody's request fails.
#include <atomic>
#include <thread>
#include <vector>

#include "tests/e2e/reload_fixture.h"

namespace weir::test {
namespace {

// Clients who keep asking on connections of their own, each over many requests, until they are
// told to stop.
class Crowd {
 public:
  Crowd(std::uint16_t port, int clients) : port_(port) {
    for (int i = 0; i < clients; ++i) threads_.emplace_back([this, i] { ask(i); });
  }
  ~Crowd() { stop(); }

  void stop() {
    over_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  void await_answers(std::uint64_t more) const {
    const std::uint64_t until = answers_ + more;
    if (!eventually([&] { return answers_ >= until || failures_ > 0; })) throw TimedOut("answers");
  }
  std::uint64_t answers() const { return answers_; }
  std::uint64_t failures() const { return failures_; }

 private:
  void ask(int client) {
    constexpr int kPerConnection = 50;
    for (int round = 0; !over_; ++round) {
      try {
        Client one(port_);
        for (int i = 0; i < kPerConnection && !over_; ++i) {
          // Hits, misses, and what is passed.
          const std::string number = std::to_string(client) + "-" + std::to_string(round);
          const std::string path = i % 10 == 0   ? "/miss/" + number + "-" + std::to_string(i)
                                   : i % 10 == 1 ? "/pass"
                                                 : "/hit";
          const Response response = one.get(path);
          response.status == 200 && response.body == path ? ++answers_ : ++failures_;
        }
      } catch (const std::exception&) {
        ++failures_;
      }
    }
  }

  const std::uint16_t port_;
  std::atomic<bool> over_{false};
  std::atomic<std::uint64_t> answers_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::vector<std::thread> threads_;
};

class ReloadUnderLoad : public Reload {
 protected:
  void SetUp() override {
    origin_.otherwise([](const Request& request) { return Reply(200).body(request.target); });
  }
  static std::string routes(int duration) {
    return "routes:\n  - { match: /pass, cache: false }\n  - { match: /**, cache: { duration: " +
           std::to_string(duration) + " } }\n";
  }
};

TEST_F(ReloadUnderLoad, NoRequestFails) {
  // Whatever changes: routes, sizes, addresses, the app, the log, the admin address.
  start(routes(60));
  Crowd crowd(weir().port(), 6);
  crowd.await_answers(100);
  for (int i = 0; i < 20; ++i) {
    std::string yaml = routes(60 + i);
    if (i % 2 == 0)
      yaml += "backends: { ram: { type: ram, max_size: " + std::to_string(1 + i) + "MiB } }\n";
    if (i % 3 == 0)
      yaml += "upstream: { url: " + origin_.url() + ", retries: " + std::to_string(i % 10) + " }\n";
    if (i % 4 == 0) yaml += "listen: [127.0.0.1:0, 127.0.0.1:0]\n";
    if (i % 5 == 0) yaml += "access_log: { to: " + folder_.file("access.log") + " }\n";
    if (i % 6 == 0) yaml += std::string(kAdmin);
    if (i % 7 == 0) yaml += "trusted_proxies: []\n";
    reload(yaml);
    crowd.await_answers(50);
  }
  crowd.stop();
  EXPECT_EQ(crowd.failures(), 0U);
}

TEST_F(ReloadUnderLoad, NoRequestFailsWhileDisksComeAndGo) {
  start(routes(60));
  Crowd crowd(weir().port(), 6);
  for (int i = 0; i < 20; ++i) {
    crowd.await_answers(50);
    if (i % 2 != 0) {
      reload(routes(60));
      ASSERT_TRUE(eventually([&] { return log_lines("backend disk: closed") == i / 2 + 1; }));
      continue;
    }
    reload(on_disk_alone("max_size: " + std::to_string(2 + i) + "MiB") + routes(60));
  }
  crowd.stop();
  EXPECT_EQ(crowd.failures(), 0U);
}

TEST_F(ReloadUnderLoad, EveryRequestInFlightIsFinishedAtTheEnd) {
  // Also those whose site, app and address a reload has replaced.
  const Gate gate;
  origin_.on("/slow", Reply(200).length(10).part("first").gate(gate).part("after"));
  start("routes: []\n");
  std::vector<Client> slow;
  for (int i = 0; i < 60; ++i) {
    if (i % 20 == 10)
      reload("routes: []\nupstream: { url: " + origin_.url() +
             ", retries: " + std::to_string(i / 10) + " }\n");
    slow.push_back(client());
    slow.back().send(Client::message("GET", "/slow"));
  }
  origin_.await_hits("/slow", 60);
  weir().process().signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return refuses(weir().port()); }));
  gate.open();
  for (Client& one : slow) {
    const Response response = one.read();
    EXPECT_EQ(response.body, "firstafter");
  }
  EXPECT_EQ(weir().wait(), 0);
}

TEST_F(ReloadUnderLoad, AQueuedConnectionIsServedAtTheEnd) {
  // Who was connected when the signal came, and asks a moment later, is answered.
  start("routes: []\n");
  for (int round = 0; round < 3; ++round) {
    std::vector<Client> queued;
    for (int i = 0; i < 20; ++i) {
      queued.push_back(client());
      queued.back().send(Client::message("GET", "/page"));
    }
    weir().process().signal(SIGTERM);
    for (Client& one : queued) EXPECT_EQ(one.read().body, "/page");
    EXPECT_EQ(weir().wait(), 0);
    start("routes: []\n");
  }
}

// ---- the admin address ----

TEST_F(ReloadUnderLoad, AnAdminRequestInFlightIsFinishedAtTheEnd) {
  start(std::string(kAdmin) + routes(60));
  const std::string body = R"({"all": true})";
  Client asks(weir().admin_port());
  const std::string message = Client::message("POST", "/v1/purge", {{"Host", "127.0.0.1"}}, body);
  asks.send(message.substr(0, message.size() - 5));
  Client idle(weir().admin_port());
  idle.get("/healthz", {{"Host", "127.0.0.1"}});
  weir().process().signal(SIGTERM);
  EXPECT_TRUE(idle.closed()) << "the admin address takes no more";
  asks.send(message.substr(message.size() - 5));
  EXPECT_EQ(asks.read("POST").status, 200);
  EXPECT_EQ(weir().wait(), 0);
}

TEST_F(ReloadUnderLoad, WhoWaitsForALeaseIsAnsweredAtTheEnd) {
  start(std::string(kAdmin) + routes(60));
  const Fields host = {{"Host", "127.0.0.1"}};
  Client computes(weir().admin_port());
  ASSERT_TRUE(
      computes.request("GET", "/v1/keys/a?lease=60s&wait=60s", host).fields.has("Weir-Lease"));
  Client waits(weir().admin_port());
  waits.send(Client::message("GET", "/v1/keys/a?lease=60s&wait=60s", host));
  ASSERT_TRUE(eventually([&] { return waiting_at_port(weir().admin_port()) == 0; }));
  weir().process().signal(SIGTERM);
  const Response response = waits.read();
  EXPECT_EQ(response.status, 404);
  EXPECT_FALSE(response.fields.has("Weir-Lease"));
  EXPECT_EQ(weir().wait(), 0);
}

TEST_F(ReloadUnderLoad, AnAdminRequestThatDoesNotEndIsCut) {
  start(std::string(kAdmin) + "drain_timeout: 300ms\n" + routes(60));
  Client asks(weir().admin_port());
  asks.send("POST /v1/purge HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 13\r\n\r\n{");
  Client idle(weir().admin_port());
  idle.get("/healthz", {{"Host", "127.0.0.1"}});
  weir().process().signal(SIGTERM);
  EXPECT_EQ(weir().wait(), 1);
}

TEST_F(ReloadUnderLoad, IsReadyForAnAppOnlyWhereThereIsOne) {
  start(std::string(kAdmin) + routes(60));
  const auto readyz = [&](const char* target) {
    return ask_admin(weir().admin_port(), "GET", target);
  };
  EXPECT_EQ(readyz("/readyz?app=1").status, 200);
  EXPECT_EQ(readyz("/readyz?app=1").body, "ready\n");
  EXPECT_EQ(origin_.heads(), 0) << "it is connected to, and not asked";
  const std::string gone = "http://127.0.0.1:" + std::to_string(Socket::refuse_tcp().port());
  reload(std::string(kAdmin) + routes(60) + "upstream: { urls: [" + gone + ", " + origin_.url() +
         "] }\n");
  EXPECT_EQ(readyz("/readyz?app=1").status, 200) << "one of them will do";
  reload(std::string(kAdmin) + routes(60) + "upstream: " + gone + "\n");
  const Response answer = readyz("/readyz?x=2&app=1");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, testing::StartsWith("the app cannot be reached: " + gone + ": "));
  EXPECT_EQ(readyz("/readyz").status, 200);
  EXPECT_EQ(readyz("/readyz?app=10").status, 200);
}

}  // namespace
}  // namespace weir::test
