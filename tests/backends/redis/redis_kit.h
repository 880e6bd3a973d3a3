// A Redis backend on a real server, which the tests of one program share; each has a prefix of its
// own. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backends/redis/redis_backend.h"
#include "base/executor.h"
#include "base/random.h"
#include "tests/conformance/entries.h"
#include "tests/conformance/look_up.h"
#include "tests/support/redis_server.h"

namespace weir::backends::testing {

// An instance that shares its server with nobody: its own positions are the fleet's.
class OwnPositions final : public SharedPositions {
 public:
  bool may_read(std::string_view run) const override {
    return readable && run.size() == 40 + 1 + 40;
  }
  bool meet(std::string_view) const override { return false; }
  bool is_live() const override { return true; }
  std::optional<redis::LogPosition> shared(std::uint64_t own) const override {
    return redis::LogPosition{1, {7, own}};
  }
  std::optional<std::uint64_t> own(const redis::LogPosition& shared) const override {
    if (shared.at.number < floor) return std::nullopt;
    return shared.at.number;
  }

  std::uint64_t tag() const override { return 77; }
  std::uint64_t doubt() const override { return ++doubts; }
  std::uint64_t resolved() const override { return resolved_to; }

  mutable std::uint64_t doubts = 0;
  std::uint64_t resolved_to = 0;

  bool readable = true;
  std::uint64_t floor = 0;
};

// Where the tests' clusters and sentinels are.
inline redis::Topology cluster_at(const std::vector<std::uint16_t>& ports) {
  redis::Topology out{.kind = redis::Topology::Kind::Cluster};
  for (const std::uint16_t port : ports) out.seeds.push_back({"127.0.0.1", port});
  return out;
}
inline redis::Topology sentinels_at(const std::vector<std::uint16_t>& ports,
                                    const std::string& master) {
  redis::Topology out = cluster_at(ports);
  out.kind = redis::Topology::Kind::Sentinels;
  out.master = master;
  return out;
}

class RedisKit {
 public:
  explicit RedisKit(const redis::Topology& servers) : RedisKit() { options.servers = servers; }
  explicit RedisKit(const test::RedisServer& server) : RedisKit() {
    options.servers.place.host = "127.0.0.1";
    options.servers.place.port = server.port();
  }
  RedisKit() {
    options.prefix = "test" + std::to_string(random_number()) + ":";
    options.timeout_ms = 10'000;  // nothing here is about time, unless it says so
  }

  void open() {
    at_ = std::make_unique<Attached>(make_redis_backend(options, {*resolver, positions}));
  }
  Attached& at() {
    if (!at_) open();
    return *at_;
  }
  void close() { at_.reset(); }

  StoreResult put(std::string_view key, std::string_view body) {
    return at().put(entry_of(key, body));
  }
  // Read to its end; empty: it is not there, or cannot be read.
  std::optional<std::string> body_at(std::string_view key) {
    const EntryRef entry = at().find(key);
    return entry ? read_all(*entry) : std::nullopt;
  }
  std::optional<std::string> read_all(const Entry& entry);

  RedisOptions options;
  const std::shared_ptr<OwnPositions> positions = std::make_shared<OwnPositions>();
  ThreadPool executor{1};
  std::unique_ptr<Resolver> resolver = make_system_resolver(executor);

 private:
  std::unique_ptr<Attached> at_;
};

inline std::optional<std::string> RedisKit::read_all(const Entry& entry) {
  if (!entry.far_body()) return text_of(entry);
  const Ref<const FarBody> body(entry.far_body());
  FarReader reader(at().loop(), [] {});
  std::string out;
  while (out.size() < body->size()) {
    const FarReader::Got got = reader.get(body, out.size());
    if (got.status == FarReader::Status::Failed) return std::nullopt;
    if (got.status == FarReader::Status::Pending) {
      turn(at().loop());
    } else {
      out += got.bytes;
    }
  }
  return out;
}

}  // namespace weir::backends::testing
