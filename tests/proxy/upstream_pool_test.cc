#include "proxy/upstream/upstream_pool.h"

#include <gtest/gtest.h>

#include "proxy/upstream/health.h"
#include "tests/proxy/upstream_client.h"
#include "tests/proxy/upstream_origin.h"

namespace weir::upstream::test {
namespace {

conf::UpstreamUrl url_at(const char* host, std::uint16_t port, conf::UpstreamUrl::Kind kind) {
  conf::UpstreamUrl url;
  url.kind = kind;
  url.host = host;
  url.port = port;
  return url;
}

conf::Upstream three() {
  using Kind = conf::UpstreamUrl::Kind;
  return upstream_of({url_at("a", 80, Kind::Http), url_at("b", 8000, Kind::Http),
                      url_at("[::1]", 443, Kind::Https)});
}

TEST(UpstreamPool, TakesTheLeastBusyInTurn) {
  // Shows that ties go round, and that a busy address is asked last.
  UpstreamPool pool(three());
  std::vector<int> asked(3);
  for (int i = 0; i < 9; ++i) ++asked[pool.pick(0)];
  EXPECT_EQ(asked, (std::vector<int>{3, 3, 3}));
  pool.begin(0);
  pool.begin(2);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(pool.pick(0), 1U);
  pool.end(2);
  EXPECT_NE(pool.pick(0), 0U);
  pool.begin(1);
  EXPECT_EQ(pool.pick(0), 2U);
}

TEST(UpstreamPool, LeavesAFailedAddressAloneForLongerEachTime) {
  // Shows the back-off, that failures together count once, and that a connection ends it.
  UpstreamPool pool(three());
  pool.failed(1, 1'000);
  pool.failed(1, 1'001);
  EXPECT_FALSE(pool.is_up(1, 1'499));
  EXPECT_TRUE(pool.is_up(1, 1'500));
  for (int i = 0; i < 6; ++i) EXPECT_NE(pool.pick(1'100), 1U);
  pool.failed(1, 2'000);
  EXPECT_FALSE(pool.is_up(1, 2'999));
  EXPECT_TRUE(pool.is_up(1, 3'000));
  std::int64_t now = 10'000;
  for (int i = 0; i < 20; ++i, now += 100'000) pool.failed(1, now);
  now -= 100'000;
  EXPECT_FALSE(pool.is_up(1, now + 31'999));
  EXPECT_TRUE(pool.is_up(1, now + 32'000));
  pool.connected(1);
  EXPECT_TRUE(pool.is_up(1, now));
}

TEST(UpstreamPool, UsesWhatIsDownWhenNothingIsUp) {
  // Shows that a request is sent somewhere even when every address has failed.
  UpstreamPool pool(three());
  for (std::size_t i = 0; i < 3; ++i) pool.set_healthy(i, false);
  EXPECT_LT(pool.pick(0), 3U);
  pool.set_healthy(2, true);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(pool.pick(0), 2U);
}

TEST(UpstreamPool, AvoidsWhereItCan) {
  // Shows that a retry goes elsewhere, but rather back than to an address that is down.
  UpstreamPool pool(three());
  for (int i = 0; i < 9; ++i) EXPECT_NE(pool.pick(0, 1), 1U);
  pool.set_healthy(0, false);
  pool.set_healthy(2, false);
  EXPECT_EQ(pool.pick(0, 1), 1U);
}

TEST(UpstreamPool, NamesHosts) {
  const UpstreamPool pool(three());
  EXPECT_EQ(pool.own_host(0), "a");
  EXPECT_EQ(pool.own_host(1), "b:8000");
  EXPECT_EQ(pool.own_host(2), "[::1]");
}

TEST(Health, FollowsTheAppsState) {
  // Shows that two bad answers take an address out, one good one brings it back, and what is asked.
  std::atomic<int> status = 200;
  App app([&](AppConnection& connection) {
    while (!connection.read_head().empty()) {
      connection.send("HTTP/1.1 " + std::to_string(status.load()) +
                      " X\r\nContent-Length: 1\r\n\r\nx");
    }
  });
  conf::Upstream config = upstream_of({app.url()});
  config.health = {"/up?x=1", 5, 5'000};
  Client client(config);
  std::unique_ptr<HealthChecker> checker;
  client.on_loop([&] { checker = start_health_checks(client.loop(), client.shared_pool()); });
  const auto await_up = [&](bool up) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (client.pool().is_up(0, 0) != up && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
    }
    return client.pool().is_up(0, 0) == up;
  };
  status = 500;
  EXPECT_TRUE(await_up(false));
  status = 301;
  EXPECT_TRUE(await_up(true));
  client.on_loop([&] { checker.reset(); });
  EXPECT_EQ(app.heads()[0].substr(0, 22), "GET /up?x=1 HTTP/1.1\r\n");
  EXPECT_EQ(app.connections(), 1);
}

TEST(Health, CountsSilenceAsFailure) {
  // Shows that an app which accepts and hangs is taken out after the check's own timeout.
  App app(App::once(""));
  conf::Upstream config = upstream_of({app.url()});
  config.health = {"/up", 5, 20};
  Client client(config);
  std::unique_ptr<HealthChecker> checker;
  client.on_loop([&] { checker = start_health_checks(client.loop(), client.shared_pool()); });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (client.pool().is_up(0, 0) && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_FALSE(client.pool().is_up(0, 0));
  client.on_loop([&] { checker.reset(); });
}

TEST(Health, ClosesNoConnectionOfTheClients) {
  // Shows that a check's connection does not count against max_connections.
  App app([&](AppConnection& connection) {
    while (!connection.read_head().empty()) {
      connection.send(ok(std::to_string(connection.number())));
    }
  });
  conf::Upstream config = upstream_of({app.url()});
  config.max_connections = 1;
  config.health = {"/up", 5, 5'000};
  Client client(config);
  Recorder before;
  client.fetch(before, get());
  EXPECT_EQ(before.body, "0");
  std::unique_ptr<HealthChecker> checker;
  client.on_loop([&] { checker = start_health_checks(client.loop(), client.shared_pool()); });
  while (app.heads().size() < 3) std::this_thread::yield();
  Recorder after;
  client.fetch(after, get());
  EXPECT_EQ(after.body, "0");
  client.on_loop([&] { checker.reset(); });
}

TEST(Health, IsOffWithoutAPath) {
  // Shows that nothing is asked of an app unless the configuration says what.
  Client client(three());
  EXPECT_EQ(start_health_checks(client.loop(), client.shared_pool()), nullptr);
}

}  // namespace
}  // namespace weir::upstream::test
