// Clients go on asking while a cluster's slots move, and while masters are replaced: all are
// answered, rightly, and what was purged stays purged.
#include <atomic>
#include <thread>

#include "tests/e2e/fleet_fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/redis_sentinels.h"

namespace weir::test {
namespace {

class FleetFailover : public Fleet {
 protected:
  static std::string list_of(const std::vector<std::uint16_t>& ports) {
    std::string out = "[";
    for (const std::uint16_t port : ports) {
      out += (out.size() > 1 ? ", " : "") + std::string("127.0.0.1:") + std::to_string(port);
    }
    return out + "]";
  }
  WeirProcess& add_on(const std::string& servers) {
    return add("admin: 127.0.0.1:0\nbackends:\n  redis: { type: redis, timeout: 200ms, " + servers +
               " }\n" + std::string(kCacheAll));
  }
  // The page's own number, and how often all were purged when it was made.
  void serve_pages() {
    origin_.otherwise([this](const Request& request) {
      return cacheable(request.path + " " + std::to_string(purges_.load()));
    });
  }

  // Clients that ask for 200 pages in turn until they are told to stop.
  void begin_load(const std::vector<WeirProcess*>& instances) {
    for (WeirProcess* const instance : instances) {
      for (int i = 0; i < 4; ++i) {
        clients_.emplace_back([this, port = instance->port(), i](const std::stop_token& stop) {
          ask_on(port, i, stop);
        });
      }
    }
  }
  void end_load() {
    clients_.clear();  // each is told to stop, and awaited
    EXPECT_EQ(wrong_.load(), 0);
    EXPECT_GT(answered_.load(), 0);
  }

  std::atomic<int> purges_{0};
  std::atomic<int> answered_{0};
  std::atomic<int> wrong_{0};

 private:
  void ask_on(std::uint16_t port, int from, const std::stop_token& stop) {
    Client client(port);
    for (int page = from; !stop.stop_requested(); page = (page + 1) % 200) {
      const std::string path = "/" + std::to_string(page);
      const Response answer = client.get(path, {{"Host", "a.test"}});
      const bool is_right = answer.status == 200 && answer.body.starts_with(path + " ");
      (is_right ? answered_ : wrong_)++;
    }
  }

  std::vector<std::jthread> clients_;
};

TEST_F(FleetFailover, SlotsMoveWhileClientsAsk) {
  RedisCluster cluster;
  serve_pages();
  const std::string servers = "cluster: true, nodes: " + list_of(cluster.ports());
  WeirProcess& a = add_on(servers);
  WeirProcess& b = add_on(servers);
  begin_load({&a, &b});
  ASSERT_TRUE(eventually([&] { return status(a, "/1").hit && status(b, "/1").hit; }));
  for (int slot = 0; slot < 60; ++slot) {
    const std::size_t from = cluster.master_of(slot);
    cluster.migrate_slot(slot, from, from == 0 ? 1 : 0);
  }
  end_load();
  EXPECT_TRUE(eventually([&] { return status(a, "/1").hit && status(b, "/1").hit; }));
}

TEST_F(FleetFailover, AClearByPatternReachesMastersThatWereNotReadYet) {
  RedisCluster cluster;
  const std::string servers = "cluster: true, nodes: " + list_of(cluster.ports());
  WeirProcess& a = add_on(servers);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(ask_admin(a, "PUT", "/v1/keys/k" + std::to_string(i), "x").status, 204);
  }
  EXPECT_EQ(ask_admin(a, "PUT", "/v1/keys/other", "x").status, 204);
  WeirProcess& b = add_on(servers);
  EXPECT_EQ(ask_admin(b, "DELETE", "/v1/keys/k*").status, 200);
  const auto left = [&](const char* pattern) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < RedisCluster::kMasters; ++i) {
      count += cluster.node(i).client().must({"KEYS", pattern}).elements.size();
    }
    return count;
  };
  EXPECT_TRUE(eventually([&] { return left("cache:v:k*") == 0; }));
  EXPECT_EQ(left("cache:v:other"), 1U);
}

TEST_F(FleetFailover, AMasterOfAClusterIsReplacedWhileClientsAsk) {
  RedisCluster cluster;
  serve_pages();
  const std::string servers = "cluster: true, nodes: " + list_of(cluster.ports());
  WeirProcess& a = add_on(servers);
  begin_load({&a});
  ASSERT_TRUE(eventually([&] { return status(a, "/1").hit; }));
  cluster.kill(cluster.master_of("cache:f:{weir-fleet}:log"));
  await_in_step(a, 2);
  EXPECT_TRUE(eventually([&] { return status(a, "/1").hit && status(a, "/2").hit; }));
  end_load();
}

TEST_F(FleetFailover, SentinelsNameAnotherMasterWhileClientsAsk) {
  RedisSentinels sentinels("secret");
  serve_pages();
  const std::string servers = "password: secret, master: " + RedisSentinels::master_name() +
                              ", sentinels: " + list_of(sentinels.sentinel_ports());
  WeirProcess& a = add_on(servers);
  WeirProcess& b = add_on(servers);
  begin_load({&a, &b});
  ASSERT_TRUE(eventually([&] { return status(a, "/1").hit && status(b, "/1").hit; }));
  // Until the replica is counted as one.
  ASSERT_TRUE(eventually([&] { return purge(a, R"({"all": true})").status == 200; }));
  purges_ = 1;
  ASSERT_TRUE(eventually([&] { return purge(a, R"({"all": true})").status == 200; }));
  const std::uint16_t old = sentinels.kill_master();
  sentinels.await_new_master(old);
  await_in_step(a, 2);
  await_in_step(b, 2);
  // Nothing from before the purge that was acknowledged comes back with the new master.
  for (int page = 0; page < 200; ++page) {
    const std::string path = "/" + std::to_string(page);
    EXPECT_EQ(get(b, path).body, path + " 1");
  }
  EXPECT_TRUE(eventually([&] { return status(a, "/1").hit && status(b, "/1").hit; }));
  end_load();
}

TEST_F(FleetFailover, AServerThatSpeaksTlsIsVerified) {
  use(RedisSetup{.tls = true, .tls_clients = true});
  serve_pages();
  const auto pair = redis_->certificates().issue("weir", "DNS:weir");
  const std::string server = "url: \"rediss://localhost:" + std::to_string(redis_->tls_port()) +
                             "\", tls: { ca: " + redis_->ca_file() + ", cert: " + pair.cert_file +
                             ", key: " + pair.key_file;
  WeirProcess& a = add_on(server + " }");
  WeirProcess& b = add_on(server + " }");
  get(a, "/1");
  EXPECT_TRUE(eventually([&] { return status(b, "/1").hit; }));
  // Of another name it is not believed, and pages go on.
  const std::string wrong =
      "admin: 127.0.0.1:0\nbackends:\n  redis: { type: redis, timeout: 200ms, " + server +
      ", name: redis.example } }\n" + std::string(kCacheAll);
  WeirProcess& c = add(wrong, false);
  EXPECT_EQ(get(c, "/2").body, "/2 0");
  EXPECT_TRUE(eventually([&] { return c.log_text().find("redis.example") != std::string::npos; }));
  EXPECT_FALSE(status(c, "/2").hit);
}

}  // namespace
}  // namespace weir::test
