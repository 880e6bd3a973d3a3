#include "tests/support/redis_sentinels.h"

#include <stdexcept>

namespace weir::test {
namespace {

// Of INFO's text on replication; empty while a sentinel closes connections there.
std::string replication_field(const RedisServer& server, std::string_view name) {
  try {
    return server.client().must({"INFO", "replication"}).field(name);
  } catch (const PeerGone&) {
    return "";
  }
}

}  // namespace

RedisSentinels::RedisSentinels(const std::string& password) {
  std::vector<std::string> lines;
  if (!password.empty()) lines = {"requirepass " + password, "masterauth " + password};
  servers_[0] = std::make_unique<RedisServer>(RedisSetup{.lines = lines});
  lines.push_back("replicaof 127.0.0.1 " + std::to_string(servers_[0]->port()));
  servers_[1] = std::make_unique<RedisServer>(RedisSetup{.lines = lines});
  // Before the sentinels come: they ask the master for its replicas once, then only now and then.
  const auto is_in_touch = [&] {
    return replication_field(*servers_[1], "master_link_status") == "up";
  };
  if (!eventually(is_in_touch)) throw TimedOut("the replica:\n" + servers_[1]->log_text());
  start_sentinels(password);
}

void RedisSentinels::start_sentinels(const std::string& password) {
  const std::string port = std::to_string(servers_[0]->port());
  std::vector<std::string> lines = {
      "sentinel monitor " + master_name() + " 127.0.0.1 " + port + " 2",
      "sentinel failover-timeout " + master_name() + " 3000"};
  if (!password.empty()) lines.push_back("sentinel auth-pass " + master_name() + " " + password);
  for (std::size_t i = 0; i < 3; ++i) {
    sentinels_.push_back(
        std::make_unique<RedisServer>(RedisSetup{.lines = lines, .sentinel = true}));
    apply_pace(i);
  }
  await_ok();
}

// By itself a sentinel says every 2 s what it knows, and asks the servers every 10 s for theirs. A
// replica that has not answered for three such times is not made master.
void RedisSentinels::apply_pace(std::size_t index) {
  RedisClient client = sentinel(index).client();
  client.must({"SENTINEL", "DEBUG", "publish-period", pace_.publish, "info-period", "700"});
  client.must({"SENTINEL", "SET", master_name(), "down-after-milliseconds", pace_.down_after});
}

void RedisSentinels::set_pace(const Pace& pace) {
  pace_ = pace;
  for (std::size_t i = 0; i < size(); ++i)
    if (sentinel(i).is_up()) apply_pace(i);
}

void RedisSentinels::start_again(std::size_t index) {
  sentinel(index).start_again();
  apply_pace(index);
}

bool RedisSentinels::sees_all(std::size_t index) {
  RedisClient client = sentinel(index).client();
  const RedisReply master = client.must({"SENTINEL", "MASTER", master_name()});
  const RedisReply replicas = client.must({"SENTINEL", "REPLICAS", master_name()});
  if (master.value("num-other-sentinels") != "2" || replicas.elements.size() != 1) return false;
  const RedisReply& replica_seen = replicas.elements[0];
  return !replica().is_up() || (replica_seen.value("flags") == "slave" &&
                                replica_seen.value("role-reported") == "slave" &&
                                replica_seen.value("master-link-status") == "ok");
}

bool RedisSentinels::is_ok() {
  const std::uint16_t port = master_port();
  if (!server_at(port).is_up() || replication_field(server_at(port), "role") != "master")
    return false;
  if (replica().is_up() && replication_field(replica(), "master_link_status") != "up") return false;
  for (std::size_t i = 0; i < size(); ++i)
    if (sentinel(i).is_up() && (master_port_by(i) != port || !sees_all(i))) return false;
  return true;
}

void RedisSentinels::await_ok() {
  if (eventually([&] { return is_ok(); })) return;
  throw TimedOut("the sentinels, of which one says:\n" + sentinel(first_up()).log_text());
}

std::vector<std::uint16_t> RedisSentinels::sentinel_ports() const {
  std::vector<std::uint16_t> all;
  all.reserve(sentinels_.size());
  for (const auto& sentinel : sentinels_) all.push_back(sentinel->port());
  return all;
}

std::size_t RedisSentinels::first_up() {
  for (std::size_t i = 0; i < size(); ++i)
    if (sentinel(i).is_up()) return i;
  throw std::runtime_error("no sentinel is up");
}

std::uint16_t RedisSentinels::master_port_by(std::size_t index) {
  const RedisReply address =
      sentinel(index).client().must({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", master_name()});
  return static_cast<std::uint16_t>(std::stoi(address.elements.at(1).text));
}

std::uint16_t RedisSentinels::master_port() {
  return master_port_by(first_up());
}

RedisServer& RedisSentinels::server_at(std::uint16_t port) {
  for (const auto& server : servers_)
    if (server->port() == port) return *server;
  throw std::runtime_error("no server's port: " + std::to_string(port));
}

RedisServer& RedisSentinels::replica() {
  const std::uint16_t master = master_port();
  return *servers_[servers_[0]->port() == master ? 1 : 0];
}

std::uint16_t RedisSentinels::kill_master() {
  const std::uint16_t port = master_port();
  server_at(port).kill();
  set_pace({.publish = "500", .down_after = "500"});
  return port;
}

std::uint16_t RedisSentinels::pause_master() {
  const std::uint16_t port = master_port();
  server_at(port).pause();
  set_pace({.publish = "500", .down_after = "500"});
  return port;
}

void RedisSentinels::fail_over() {
  await_ok();  // or they would choose one that others still are giving its part
  set_pace({.publish = "500"});
  sentinel(first_up()).client().must({"SENTINEL", "FAILOVER", master_name()});
}

std::uint16_t RedisSentinels::await_new_master(std::uint16_t old_port) {
  std::uint16_t port = old_port;
  const auto is_named = [&] {
    port = master_port();
    if (port == old_port || !server_at(port).is_up()) return false;
    for (std::size_t i = 0; i < size(); ++i)
      if (sentinel(i).is_up() && master_port_by(i) != port) return false;
    return replication_field(server_at(port), "role") == "master";
  };
  if (!eventually(is_named))
    throw TimedOut("a new master; a sentinel says:\n" + sentinel(first_up()).log_text());
  set_pace({});
  return port;
}

}  // namespace weir::test
