// Instances of a fleet in one program, each with a loop and a book of its own, which is a list of
// what was applied.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/redis/fleet_log.h"
#include "base/executor.h"
#include "tests/support/redis_server.h"

namespace weir::backends::testing {

class BookByHand final : public redis::FleetMarks {
 public:
  std::uint64_t apply(std::string_view entry) override {
    applied.emplace_back(entry);
    return ++position;
  }
  std::uint64_t step() override { return ++position; }
  std::uint64_t drop_own() override {
    ++drops;
    return ++position;
  }
  std::string all_is_stale() const override { return "all is stale"; }
  std::string all_is_dead() const override { return "all is dead"; }

  std::uint64_t position = 0;
  std::vector<std::string> applied;
  int drops = 0;
};

class Instance {
 public:
  Instance(const redis::Topology& servers, Resolver& resolver, std::int64_t lease_ms) {
    redis::FleetLogOptions options;
    options.servers = servers;
    options.lease_ms = lease_ms;
    options.most_entries = 40;
    log = std::make_unique<redis::FleetLog>(loop, resolver, options, book);
  }

  EventLoop loop;
  BookByHand book;
  std::unique_ptr<redis::FleetLog> log;
};

class FleetKit {
 public:
  Instance& add(const test::RedisServer& server, std::int64_t lease_ms = 10'000) {
    return add({.place = {.host = "127.0.0.1", .port = server.port()}}, lease_ms);
  }
  Instance& add(const redis::Topology& servers, std::int64_t lease_ms = 10'000) {
    instances_.push_back(std::make_unique<Instance>(servers, *resolver_, lease_ms));
    return *instances_.back();
  }
  Instance& at(std::size_t index) { return *instances_.at(index); }
  void turn_all() {
    for (const auto& instance : instances_) {
      if (instance.get() != asleep) instance->loop.turn();
    }
  }
  template <class Condition>
  bool turn_until(Condition&& condition) {
    const test::Deadline deadline;
    while (!condition()) {
      if (deadline.passed()) return false;
      turn_all();
    }
    return true;
  }
  // Until all but who sleeps are in step and have applied the same to its end.
  bool all_in_step() {
    return turn_until([&] {
      for (const auto& instance : instances_) {
        if (instance.get() != asleep && !instance->log->is_in_step()) return false;
      }
      return true;
    });
  }
  bool none_in_step() const {
    return std::ranges::none_of(instances_, [](const auto& one) { return one->log->is_in_step(); });
  }
  // The same for those that are there first: one of them makes the log, and has nothing yet to
  // drop.
  bool begin() {
    const bool ready = all_in_step();
    for (const auto& instance : instances_) instance->book.drops = 0;
    return ready;
  }
  redis::FleetLog::Applied applied(Instance& by) {
    std::optional<redis::FleetLog::Applied> out;
    by.log->when_applied([&out](redis::FleetLog::Applied applied) { out = applied; });
    turn_until([&] { return out.has_value(); });
    return out.value_or(redis::FleetLog::Applied{});
  }
  redis::FleetLog::Applied purge(Instance& by, std::string entry) {
    by.log->append(std::move(entry));
    return applied(by);
  }

  Instance* asleep = nullptr;

 private:
  ThreadPool executor_{1};
  const std::unique_ptr<Resolver> resolver_ = make_system_resolver(executor_);
  std::vector<std::unique_ptr<Instance>> instances_;
};

class FleetLogTest : public ::testing::Test {
 protected:
  // How often the book has that entry.
  static std::ptrdiff_t count(const Instance& at, std::string_view entry) {
    return std::ranges::count(at.book.applied, entry);
  }
  static std::string run_of(const test::RedisServer& server) {
    test::RedisClient client = server.client();
    return client.must({"INFO", "server"}).field("run_id") + "/" +
           client.must({"INFO", "replication"}).field("master_replid");
  }
  static bool may_read(const test::RedisServer& server, const Instance& at) {
    return at.log->positions()->may_read(run_of(server));
  }
  static std::string last_id(const test::RedisServer& server) {
    test::RedisClient client = server.client();
    return client.must({"XREVRANGE", "cache:f:{weir-fleet}:log", "+", "-", "COUNT", "1"})
        .elements.at(0)
        .elements.at(0)
        .text;
  }

  FleetKit fleet_;
};

}  // namespace weir::backends::testing
