// `coalesce: fleet`: of all instances one asks the app for a page that none of them has, and the
// others wait for what it stores, but never for what they could not have.
#include <chrono>
#include <csignal>

#include "tests/e2e/fleet_fixture.h"

namespace weir::test {
namespace {

class FleetCoalesce : public Fleet {
 protected:
  WeirProcess& add_one(std::string_view wait = "30s") {
    return add(yaml("[ram, redis]", "",
                    "limits: { coalesce_wait: " + std::string(wait) +
                        " }\nroutes:\n"
                        "  - { match: /**, cache: { duration: 60, coalesce: fleet } }\n"));
  }
  // Clients that have asked and were not answered yet.
  static std::vector<Client> ask(const WeirProcess& at, std::string_view target, int count) {
    std::vector<Client> out;
    for (int i = 0; i < count; ++i) {
      out.emplace_back(at.port());
      out.back().send(Client::message("GET", target, {{"Host", "a.test"}}));
    }
    return out;
  }
  void await_claim() {
    RedisClient client = redis_->client();
    if (!eventually([&] { return !client.must({"KEYS", "cache:c:*"}).elements.empty(); })) {
      throw TimedOut("nobody claims it");
    }
  }
};

TEST_F(FleetCoalesce, TheAppIsAskedOnceForAColdPage) {
  for (const std::size_t size : {std::size_t{5}, std::size_t{300'000}}) {
    SCOPED_TRACE(size);
    const std::string page = "/" + std::to_string(size);
    const std::string body = patterned(size);
    const Gate gate;
    origin_.on(page, cacheable(body).gate_head(gate));
    instances_.clear();
    WeirProcess& a = add_one();
    WeirProcess& b = add_one();
    std::vector<Client> of_a = ask(a, page, 100);
    std::vector<Client> of_b = ask(b, page, 100);
    gate.await_arrivals(1);
    gate.open();
    for (std::vector<Client>* const clients : {&of_a, &of_b}) {
      for (Client& client : *clients) EXPECT_EQ(client.read().body, body);
    }
    EXPECT_EQ(origin_.hits(page), 1);
    EXPECT_TRUE(eventually([&] {
      return redis_->client().must({"KEYS", "cache:c:*"}).elements.empty();
    })) << "the claim is given back";
  }
}

TEST_F(FleetCoalesce, VariantsOfOnePageAreFetchedOnceEach) {
  origin_.on("/a", [](const Request& request) {
    return cacheable("in " + request.fields.value("X-Kind")).header("Vary", "X-Kind");
  });
  WeirProcess& a = add_one();
  WeirProcess& b = add_one();
  for (const char* const kind : {"one", "two"}) {
    for (const WeirProcess* const at : {&a, &b}) {
      const Response answer = Client(at->port()).get("/a", {{"Host", "a.test"}, {"X-Kind", kind}});
      EXPECT_EQ(answer.body, std::string("in ") + kind);
    }
  }
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(FleetCoalesce, WhatIsForOneVisitorAloneHoldsUpNobodyElsewhere) {
  const Gate gate;
  origin_.on("/a", Reply(200).header("Cache-Control", "private").body("hers").gate_head(gate));
  WeirProcess& a = add_one();
  WeirProcess& b = add_one();
  std::vector<Client> of_a = ask(a, "/a", 1);
  gate.await_arrivals(1);
  std::vector<Client> of_b = ask(b, "/a", 5);
  await_claim();
  gate.open();
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(of_a[0].read().body, "hers");
  for (Client& client : of_b) EXPECT_EQ(client.read().body, "hers");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10))
      << "coalesce_wait is three times that";
  EXPECT_EQ(origin_.hits("/a"), 6);
  EXPECT_EQ(get(b, "/a").body, "hers") << "it is remembered";
}

TEST_F(FleetCoalesce, WhoFailsToFetchItLeavesItToTheNext) {
  const Gate gate;
  origin_.script("/a", {Reply(503).body("no").gate_head(gate), cacheable("hello")});
  WeirProcess& a = add_one();
  WeirProcess& b = add_one();
  std::vector<Client> of_a = ask(a, "/a", 1);
  gate.await_arrivals(1);
  std::vector<Client> of_b = ask(b, "/a", 3);
  gate.open();
  EXPECT_EQ(of_a[0].read().status, 503);
  for (Client& client : of_b) EXPECT_EQ(client.read().body, "hello");
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(FleetCoalesce, AnInstanceThatDiesIsWaitedForAsLongAsCoalesceWait) {
  const Gate gate;
  origin_.script("/a", {cacheable("lost").gate_head(gate), cacheable("hello")});
  WeirProcess& a = add_one("1s");
  WeirProcess& b = add_one("1s");
  std::vector<Client> of_a = ask(a, "/a", 1);
  gate.await_arrivals(1);
  a.process().signal(SIGKILL);
  EXPECT_EQ(a.wait(), 128 + SIGKILL);
  // One client: those who follow another would begin a second fetch by then.
  std::vector<Client> of_b = ask(b, "/a", 1);
  EXPECT_EQ(of_b[0].read().body, "hello");
  gate.open();
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(FleetCoalesce, WithoutTheServerEachAsksForItself) {
  timeout_ = "50ms";
  origin_.on("/a", cacheable("hello"));
  WeirProcess& a = add_one();
  redis_->pause();
  EXPECT_EQ(get(a, "/a").body, "hello");
  redis_->go_on();
}

}  // namespace
}  // namespace weir::test
