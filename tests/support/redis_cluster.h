// Six real Redis servers as one cluster: three masters, each with a replica. Nodes are named by
// their index: 0, 1 and 2 are the masters at first. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/redis_server.h"

namespace weir::test {

class RedisCluster {
 public:
  static constexpr std::size_t kMasters = 3;
  static constexpr int kSlots = 16'384;

  // `lines` go to the redis.conf of all. Returns once await_ok() would.
  explicit RedisCluster(const std::vector<std::string>& lines = {});

  std::size_t size() const { return nodes_.size(); }
  RedisServer& node(std::size_t index) { return *nodes_.at(index); }
  // By index.
  std::vector<std::uint16_t> ports() const;

  // Which slot a key is in, by Redis itself.
  int slot_of(std::string_view key);
  // Who serves it, and who copies that one, by the first node that is up.
  std::size_t master_of(int slot);
  std::size_t master_of(std::string_view key) { return master_of(slot_of(key)); }
  std::vector<std::size_t> replicas_of(std::size_t master);

  // A killed master is replaced by its replica within seconds, and a replica when it is back.
  void kill(std::size_t index) { node(index).kill(); }
  void start_again(std::size_t index) { node(index).start_again(); }
  // Waits until all nodes that are up agree on who has which slot, all slots are had by masters
  // that are up, and everybody else that is up is a replica in touch with its master. Throws
  // TimedOut.
  void await_ok();

  // Moves a slot and all keys in it, and awaits that.
  void migrate_slot(int slot, std::size_t from, std::size_t to);
  // The same in its steps. Between the first and the last `from` answers for the keys that it still
  // has and says ASK for all others in the slot.
  void begin_migration(int slot, std::size_t from, std::size_t to);
  std::vector<std::string> keys_in(int slot, std::size_t index);
  void move_keys(const std::vector<std::string>& keys, std::size_t from, std::size_t to);
  void finish_migration(int slot, std::size_t from, std::size_t to);

 private:
  // Who is where, as one node sees it.
  struct View;

  void divide_slots();
  void introduce_nodes();
  void attach_replicas();
  View view_of(std::size_t index);
  std::size_t first_up();
  bool is_ok();
  bool is_replica_in_touch(std::size_t index);
  std::size_t index_of(std::int64_t port) const;

  std::vector<std::unique_ptr<RedisServer>> nodes_;
  std::vector<std::string> ids_;  // as the cluster knows the nodes, by index
};

}  // namespace weir::test
