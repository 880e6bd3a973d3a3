// The Redis backend against the suite that all backends pass, on a real server.
#include "backends/ram/ram_backend.h"
#include "backends/tiered.h"
#include "tests/backends/redis/redis_kit.h"
#include "tests/conformance/backend_suite.h"
#include "tests/support/redis_cluster.h"

namespace weir::backends::testing {
namespace {

class OnServers : public BackendDelegate {
 public:
  bool answers_now() const override { return false; }
  bool counts_objects() const override { return false; }
  bool counts_bytes() const override { return false; }
  std::int64_t time_differs_ms() const override { return 5'000; }
};

class OnRedis final : public OnServers {
 public:
  OnRedis(std::uint64_t max_object_size, bool behind_ram) {
    kit_.options.max_object_size = max_object_size;
    backend_ = make_redis_backend(kit_.options, {*kit_.resolver, kit_.positions});
    if (behind_ram) {
      backend_ = make_tiered(
          {make_ram_backend({.max_size = 4 * 1024 * 1024, .max_object_size = 8}), backend_});
    }
  }
  Backend& backend() override { return *backend_; }
  void await_clear(EventLoop& loop) override {
    test::RedisClient client = server_.client();
    while (!client.must({"KEYS", kit_.options.prefix + "*"}).elements.empty()) turn(loop);
  }

 private:
  test::RedisServer server_;
  RedisKit kit_{server_};
  std::shared_ptr<Backend> backend_;
};

std::unique_ptr<BackendDelegate> only_redis(std::uint64_t max_object_size) {
  return std::make_unique<OnRedis>(max_object_size, false);
}

std::unique_ptr<BackendDelegate> ram_and_redis(std::uint64_t max_object_size) {
  return std::make_unique<OnRedis>(max_object_size, true);
}

// A cluster that all of them share.
class OnCluster final : public OnServers {
 public:
  explicit OnCluster(std::uint64_t max_object_size) : kit_(cluster_at(cluster().ports())) {
    kit_.options.max_object_size = max_object_size;
    backend_ = make_redis_backend(kit_.options, {*kit_.resolver, kit_.positions});
  }
  Backend& backend() override { return *backend_; }
  void await_clear(EventLoop& loop) override {
    for (std::size_t node = 0; node < test::RedisCluster::kMasters; ++node) {
      test::RedisClient client = cluster().node(node).client();
      while (!client.must({"KEYS", kit_.options.prefix + "*"}).elements.empty()) turn(loop);
    }
  }

 private:
  static test::RedisCluster& cluster() {
    static test::RedisCluster cluster;
    return cluster;
  }

  RedisKit kit_;
  std::shared_ptr<Backend> backend_;
};

std::unique_ptr<BackendDelegate> on_cluster(std::uint64_t max_object_size) {
  return std::make_unique<OnCluster>(max_object_size);
}

INSTANTIATE_TEST_SUITE_P(Redis, BackendSuite,
                         ::testing::Values(BackendCase{"Redis", only_redis},
                                           BackendCase{"RamAndRedis", ram_and_redis},
                                           BackendCase{"RedisCluster", on_cluster}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace weir::backends::testing
