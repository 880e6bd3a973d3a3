// What is counted of known traffic, as /metrics and /v1/stats of the real binary show it.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kRoutes =
    "routes:\n"
    "  - { name: pages, match: /pages/**, cache: { duration: 60 } }\n"
    "  - { name: off, match: /off/**, cache: false }\n";

Outcome run_shell(const std::string& line) {
  ChildProcess process({.arguments = {"/bin/sh", "-c", line}, .environment = {}, .folder = {}});
  Outcome outcome;
  outcome.exit_code = process.wait();
  outcome.out = process.out().text();
  outcome.err = process.err().text();
  return outcome;
}

class Metrics : public E2e {
 protected:
  void run(std::string_view more = "", std::string_view routes = kRoutes) {
    start("admin: 127.0.0.1:0\n" + std::string(more) + std::string(routes));
  }
  Response ask(std::string_view target, Fields fields = {}) {
    fields.add("Host", "127.0.0.1");
    return Client(weir().admin_port()).get(target, fields);
  }
  // The sample of this name with these labels; "" where there is none.
  std::string metric(const std::string& sample) {
    std::istringstream lines(ask("/metrics").body);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(sample + " ")) return line.substr(sample.size() + 1);
    }
    return "";
  }
  // A request is counted when it has ended, which may be a moment after its client has its answer.
  void expect_metric(const std::string& sample, const std::string& value) {
    EXPECT_TRUE(eventually([&] { return metric(sample) == value; }))
        << sample << " is " << metric(sample) << ", not " << value;
  }
  void expect_stats(const std::string& part) {
    EXPECT_TRUE(eventually([&] { return ask("/v1/stats").body.contains(part); }))
        << part << " is not in " << ask("/v1/stats").body;
  }
  static std::string requests(const std::string& labels) {
    return "weir_requests_total{" + labels + "}";
  }
};

TEST_F(Metrics, RequestsAreCountedByRouteStatusVerdictAndDetail) {
  origin_.on("/pages/a", cacheable("a page"));
  origin_.on("/pages/set", cacheable("a page").header("Set-Cookie", "seen=1"));
  origin_.on("/off/a", cacheable("a page"));
  run();
  for (int i = 0; i < 4; ++i) get("/pages/a");
  get("/pages/a", {{"Cookie", "sid=7"}});
  for (int i = 0; i < 2; ++i) get("/pages/set");
  get("/off/a");
  get("/elsewhere");
  Client broken = client();
  broken.send("GET /pages/a HTTP/1.1\r\n\r\n");
  EXPECT_EQ(broken.read().status, 400);

  const struct {
    const char* labels;
    const char* count;
  } rows[] = {
      {R"(route="pages",status="2xx",cache="hit",detail="")", "3"},
      {R"(route="pages",status="2xx",cache="miss",detail="")", "1"},
      {R"(route="pages",status="2xx",cache="bypass",detail="cookie")", "1"},
      {R"(route="pages",status="2xx",cache="miss",detail="set-cookie")", "2"},
      {R"(route="off",status="2xx",cache="bypass",detail="route-off")", "1"},
      {R"(route="",status="4xx",cache="bypass",detail="no-route")", "1"},
      {R"(route="",status="4xx",cache="",detail="missing-host")", "1"},
  };
  for (const auto& row : rows) expect_metric(requests(row.labels), row.count);
  expect_metric(R"(weir_response_body_bytes_total{route="pages",cache="hit"})", "18");
  expect_metric(R"(weir_request_duration_seconds_count{cache="hit"})", "3");
  expect_metric(R"(weir_request_duration_seconds_bucket{cache="hit",le="+Inf"})", "3");
  expect_metric(R"(weir_request_duration_seconds_count{cache="miss"})", "3");
  expect_metric("weir_upstream_duration_seconds_count", "6");
}

TEST_F(Metrics, AServedDurationIsATrueOne) {
  // The app holds its answer back: the request's duration is seconds that have gone by, a hit's is
  // not.
  const Gate gate;
  origin_.on("/pages/a", cacheable("a page").gate_head(gate));
  run();
  Client first = client();
  first.send(Client::message("GET", "/pages/a"));
  origin_.await_hits("/pages/a", 1);
  const auto before = std::chrono::steady_clock::now();
  pause_briefly(std::chrono::milliseconds(120));
  gate.open();
  EXPECT_EQ(first.read().status, 200);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
  get("/pages/a");
  // A response that has come may not have been counted yet.
  expect_metric(R"(weir_request_duration_seconds_count{cache="hit"})", "1");
  expect_metric(R"(weir_request_duration_seconds_count{cache="miss"})", "1");
  const double miss = std::stod(metric(R"(weir_request_duration_seconds_sum{cache="miss"})"));
  const double upstream = std::stod(metric("weir_upstream_duration_seconds_sum"));
  EXPECT_GE(miss, 0.1);
  EXPECT_LE(miss, took.count() + 5);
  EXPECT_GE(upstream, 0.1);
  EXPECT_LE(upstream, miss + 0.002);
  const double hit = std::stod(metric(R"(weir_request_duration_seconds_sum{cache="hit"})"));
  EXPECT_GT(hit, 0);
  EXPECT_LT(hit, miss);
}

TEST_F(Metrics, WhatIsUnderWayIsSeen) {
  const Gate gate;
  origin_.on("/pages/a", cacheable("a page").gate_head(gate));
  run();
  Client first = client();
  Client second = client();
  first.send(Client::message("GET", "/pages/a"));
  origin_.await_hits("/pages/a", 1);
  second.send(Client::message("GET", "/pages/a"));
  await_all_taken();
  expect_metric("weir_flights", "1");
  expect_metric("weir_client_connections", "2");
  expect_metric("weir_client_connections_accepted_total", "2");
  expect_metric("weir_upstream_connections", "1");
  expect_metric("weir_upstream_connections_in_use", "1");
  expect_metric("weir_upstream_connections_limit", "256");
  gate.open();
  EXPECT_EQ(first.read().status, 200);
  EXPECT_EQ(second.read().status, 200);
  expect_metric("weir_coalesced_requests_total", "1");
  expect_metric("weir_flights", "0");
  expect_metric("weir_upstream_connections_in_use", "0");
}

TEST_F(Metrics, WhoWaitsForAConnectionToTheAppIsCounted) {
  const Gate gate;
  origin_.otherwise([&](const Request&) { return Reply(200).body("x").gate_head(gate); });
  start("admin: 127.0.0.1:0\nroutes: []\nupstream: { url: " + origin_.url() +
        ", max_connections: 1 }\n");
  Client first = client();
  Client second = client();
  first.send(Client::message("GET", "/a"));
  origin_.await_hits("/a", 1);
  second.send(Client::message("GET", "/b"));
  expect_metric("weir_upstream_waiting_requests", "1");
  gate.open();
  EXPECT_EQ(first.read().status, 200);
  EXPECT_EQ(second.read().status, 200);
  expect_metric("weir_upstream_waiting_requests", "0");
}

TEST_F(Metrics, ClientsBeyondTheLimitAreCounted) {
  run("workers: 1\nlimits: { connections: 1 }\n");
  Client first = client();
  first.get("/pages/a");
  EXPECT_EQ(client().get("/pages/a").status, 503);
  expect_metric("weir_client_connections_refused_total", "1");
  expect_metric("weir_client_connections_accepted_total", "1");
}

TEST_F(Metrics, BackendsSayHowTheyStand) {
  origin_.otherwise([](const Request&) { return cacheable("a page"); });
  run("backends: { near: { type: ram, threshold: 2 } }\n");
  for (const char* path : {"/pages/a", "/pages/a", "/pages/b", "/pages/c"}) get(path);
  expect_metric(R"(weir_backend_objects{backend="near"})", "2");
  expect_metric(R"(weir_backend_hits_total{backend="near"})", "1");
  expect_metric(R"(weir_backend_misses_total{backend="near"})", "3");
  expect_metric(R"(weir_backend_stores_total{backend="near"})", "3");
  expect_metric(R"(weir_backend_evictions_total{backend="near"})", "1");
  expect_metric(R"(weir_backend_errors_total{backend="near"})", "0");
  expect_metric(R"(weir_backend_dropped_writes_total{backend="near"})", "0");
  expect_metric(R"(weir_backend_breaker_open{backend="near"})", "0");
  EXPECT_GT(std::stol(metric(R"(weir_backend_bytes{backend="near"})")), 12);
}

TEST_F(Metrics, MetricsAreOpenAndStatsAreNot) {
  run("admin_token: secret\n");
  const Response metrics = ask("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(metrics.value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(metrics.body, HasSubstr("\nweir_build_info{version=\""));
  EXPECT_EQ(ask("/v1/stats").status, 401);
  EXPECT_EQ(ask("/v1/stats", {{"Authorization", "Bearer secret"}}).status, 200);
}

TEST_F(Metrics, PromtoolFindsNothingWrong) {
  // Names of routes and values of labels are as odd as they may be.
  if (run_shell("promtool --version").exit_code != 0) {
    GTEST_SKIP() << "promtool is not installed (Debian: prometheus)";
  }
  origin_.on("/odd/a", cacheable("a page"));
  run("", "routes:\n  - { name: 'odd \"\\{}', match: \"/odd/**\", cache: { duration: 60 } }\n");
  for (int i = 0; i < 3; ++i) get("/odd/a");
  get("/nowhere");
  expect_metric(requests(R"(route="odd \"\\{}",status="2xx",cache="hit",detail="")"), "2");
  const TempDir folder;
  const std::string file = folder.write("metrics.txt", ask("/metrics").body);
  const Outcome checked = run_shell("promtool check metrics < " + file);
  EXPECT_EQ(checked.exit_code, 0) << checked.err << checked.out;
  EXPECT_EQ(checked.out + checked.err, "");
}

TEST_F(Metrics, TheDashboardAndTheAlertsSpeakOfMetricsThatThereAre) {
  run();
  const std::string text = ask("/metrics").body;
  for (const char* name : {"/docs/grafana-dashboard.json", "/docs/alerts.yml"}) {
    std::ifstream file(WEIR_SOURCE + std::string(name));
    const std::string said{std::istreambuf_iterator<char>(file), {}};
    const std::regex metric("weir_[a-z_0-9]+");
    int found = 0;
    for (std::sregex_iterator it(said.begin(), said.end(), metric), end; it != end; ++it) {
      const std::string family = std::regex_replace(it->str(), std::regex("_bucket$"), "");
      EXPECT_THAT(text, HasSubstr("# TYPE " + family + " ")) << name;
      ++found;
    }
    EXPECT_GT(found, 5) << name;
  }
}

TEST_F(Metrics, TheAlertsAreGoodRules) {
  if (run_shell("promtool --version").exit_code != 0) {
    GTEST_SKIP() << "promtool is not installed (Debian: prometheus)";
  }
  const Outcome checked =
      run_shell("promtool check rules " + std::string(WEIR_SOURCE) + "/docs/alerts.yml");
  EXPECT_EQ(checked.exit_code, 0) << checked.err << checked.out;
}

TEST_F(Metrics, StatsSumUpWhatHappened) {
  origin_.on("/pages/a", cacheable("a page"));
  origin_.on("/pages/set", cacheable("a page").header("Set-Cookie", "seen=1"));
  run();
  for (int i = 0; i < 3; ++i) get("/pages/a");
  for (int i = 0; i < 2; ++i) get("/pages/a", {{"Cookie", "sid=7"}});
  get("/pages/set");
  expect_stats(R"("totals":{"requests":6,"hits":2,"stale":0,"misses":2,"bypasses":2,"refused":0,)"
               R"("errors_5xx":0,"bytes_sent":36,"bytes_from_cache":12,"coalesced":0})");
  expect_stats(R"({"name":"pages","requests":6,"hits":2,)");
  expect_stats(
      R"({"route":"pages","detail":"cookie","subject":"sid","count":2,"text":"the request has a )"
      R"(cookie that is neither in the key nor ignored","yaml":"cookies: { ignore: [sid] }",)");
  expect_stats(R"({"route":"pages","detail":"set-cookie","subject":"seen","count":1,)");
  expect_stats(R"("hit":{"count":2,"p50":)");
  expect_stats(R"({"name":"ram","type":"ram","objects":1,)");
}

TEST_F(Metrics, KeysThatAreAskedForMostAreNamed) {
  origin_.otherwise([](const Request&) { return cacheable("a page"); });
  run("workers: 1\n");
  Client one = client();
  for (int i = 0; i < 200; ++i) one.get("/pages/often?b=1&a=2");
  one.get("/pages/seldom");
  expect_stats(R"("keys":[{"url":"app.test/pages/often?b=1&a=2","count":)");
}

TEST_F(Metrics, TheAdminAddressIsNotCounted) {
  run();
  get("/elsewhere");
  for (int i = 0; i < 5; ++i) ask("/healthz");
  expect_stats(R"("totals":{"requests":1,)");
  expect_metric("weir_client_connections_accepted_total", "1");
}

}  // namespace
}  // namespace weir::test
