// A real Redis master with a replica, and three sentinels that watch them. A sentinel that gives a
// server another part closes all connections there. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/redis_server.h"

namespace weir::test {

class RedisSentinels {
 public:
  // With a password for the servers, unless it is empty; the sentinels ask for none. Returns once
  // all three know the replica and each other.
  explicit RedisSentinels(const std::string& password = "");

  static std::string master_name() { return "weir-test"; }
  std::size_t size() const { return sentinels_.size(); }
  RedisServer& sentinel(std::size_t index) { return *sentinels_.at(index); }
  std::vector<std::uint16_t> sentinel_ports() const;

  // A sentinel that was stopped or killed: with what it knew.
  void start_again(std::size_t index);

  // As the first sentinel that is up says now.
  std::uint16_t master_port();
  RedisServer& master() { return server_at(master_port()); }
  RedisServer& replica();
  RedisServer& server_at(std::uint16_t port);

  // The sentinels make the replica master within seconds, and the old one its replica when it is
  // back. Both return the old one's port. Of a master that a test takes away by other means they
  // take no note for a minute.
  std::uint16_t kill_master();
  std::uint16_t pause_master();
  // Has them do so now, with both alive, once await_ok() would return.
  void fail_over();
  // Waits until every sentinel that is up names another master than this, and that one is. Returns
  // its port. Throws TimedOut.
  std::uint16_t await_new_master(std::uint16_t old_port);
  // Waits until all sentinels that are up name the same master and know each other, and the servers
  // that are up have their parts: the replica is in touch with the master. Throws TimedOut.
  void await_ok();

 private:
  // In ms. As they are here when nobody has to be replaced: a busy machine must not make it look
  // so, and who has not got his part is given it soon.
  struct Pace {
    // Between two times that a sentinel tells the others what it knows. After four of them it takes
    // for wrong that a replica is master: too soon for one that another is just making master.
    std::string publish = "100";
    // How long the master may be silent.
    std::string down_after = "60000";
  };

  std::size_t first_up();
  void start_sentinels(const std::string& password);
  void set_pace(const Pace& pace);
  void apply_pace(std::size_t index);
  bool is_ok();
  bool sees_all(std::size_t index);
  std::uint16_t master_port_by(std::size_t index);

  std::array<std::unique_ptr<RedisServer>, 2> servers_;
  std::vector<std::unique_ptr<RedisServer>> sentinels_;
  Pace pace_;
};

}  // namespace weir::test
