// Several real binaries in front of one app, on one real Redis server.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/e2e/fixture.h"
#include "tests/support/redis_server.h"

namespace weir::test {

class Fleet : public E2e {
 protected:
  void TearDown() override {
    instances_.clear();
    E2e::TearDown();
  }

  // `tiers`: as in `default:`; of ram, disk and redis.
  std::string yaml(std::string_view tiers, std::string_view redis_more = "",
                   std::string_view routes = kCacheAll) {
    const std::string disk = folders_.emplace_back(std::make_unique<TempDir>())->file("cache");
    return "admin: 127.0.0.1:0\nbackends:\n"
           "  ram: { type: ram, max_size: 32MiB }\n"
           "  disk: { type: disk, cache_dir: " +
           disk + ", min_free: 0, max_size: 64MiB }\n  redis: { type: redis, unix: " +
           redis_->unix_path() + ", timeout: " + std::string(timeout_) + std::string(redis_more) +
           " }\ndefault: " + std::string(tiers) + "\n" + std::string(routes);
  }
  WeirProcess& add(std::string_view yaml_text, bool in_step = true) {
    WeirProcess& instance =
        *instances_.emplace_back(std::make_unique<WeirProcess>(Launch{.yaml = config(yaml_text)}));
    if (in_step) await_in_step(instance, 1);
    return instance;
  }
  WeirProcess& add() { return add(yaml("[ram, redis]")); }
  // Ends it, and starts another one in its place that has nothing of its own.
  WeirProcess& replace(std::size_t index, std::string_view yaml_text) {
    instances_[index]->stop();
    instances_[index] = std::make_unique<WeirProcess>(Launch{.yaml = config(yaml_text)});
    await_in_step(*instances_[index], 1);
    return *instances_[index];
  }
  static void await_in_step(WeirProcess& instance, std::size_t times) {
    if (!eventually([&] { return in_steps(instance) >= times; })) {
      throw TimedOut("it is not in step:\n" + instance.log_text());
    }
  }
  // How often it has come to be in step with the fleet's log.
  static std::size_t in_steps(WeirProcess& instance) {
    return instance.log_behind("in step with the fleet's log").size();
  }

  static Response get(const WeirProcess& from, std::string_view target) {
    return Client(from.port()).get(target, {{"Host", "a.test"}});
  }
  static CacheStatus status(const WeirProcess& from, std::string_view target) {
    return cache_status(get(from, target));
  }
  static Response ask_admin(const WeirProcess& of, std::string_view method, std::string_view target,
                            std::string_view body = {}) {
    return Client(of.admin_port()).request(method, target, {{"Host", "127.0.0.1"}}, body);
  }
  static Response purge(const WeirProcess& at, std::string_view order) {
    return ask_admin(at, "POST", "/v1/purge", order);
  }
  // Until so many objects are in the server, pieces not counted.
  void await_objects(std::size_t count) {
    RedisClient client = redis_->client();
    const bool there = eventually([&] {
      std::size_t found = 0;
      for (const std::string& name : client.must({"KEYS", "cache:r:*"}).texts()) {
        found +=
            name.find("}:/") != std::string::npos || name.find("}:a.test/") != std::string::npos
                ? 1
                : 0;
      }
      return found >= count;
    });
    if (!there) throw TimedOut("the server does not get what was stored");
  }

  // Another server in its place, before any instance is there.
  void use(RedisSetup setup) { redis_ = std::make_unique<RedisServer>(std::move(setup)); }

  std::unique_ptr<RedisServer> redis_ = std::make_unique<RedisServer>();
  std::string timeout_ = "5s";  // nothing here is about time, unless it says so
  std::vector<std::unique_ptr<WeirProcess>> instances_;

 private:
  std::vector<std::unique_ptr<TempDir>> folders_;
};

}  // namespace weir::test
