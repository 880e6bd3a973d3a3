#include "tests/support/redis_cluster.h"

#include <algorithm>
#include <stdexcept>

namespace weir::test {

struct RedisCluster::View {
  static constexpr std::size_t kNobody = SIZE_MAX;

  std::vector<std::size_t> masters = std::vector(kSlots, kNobody);  // by slot
  std::vector<std::vector<std::size_t>> replicas;                   // by master
  bool operator==(const View&) const = default;
};

RedisCluster::RedisCluster(const std::vector<std::string>& lines) {
  RedisSetup setup{.lines = {"cluster-node-timeout 1000",
                             // A node keeps its part unless a test takes it away.
                             "cluster-allow-replica-migration no",
                             // A replica stands for election however long its master was gone.
                             "cluster-replica-validity-factor 0"},
                   .cluster = true};
  setup.lines.insert(setup.lines.end(), lines.begin(), lines.end());
  for (std::size_t i = 0; i < 2 * kMasters; ++i) {
    nodes_.push_back(std::make_unique<RedisServer>(setup));
    ids_.push_back(node(i).client().must({"CLUSTER", "MYID"}).text);
  }
  divide_slots();
  introduce_nodes();
  attach_replicas();
  await_ok();
}

void RedisCluster::divide_slots() {
  for (std::size_t i = 0; i < kMasters; ++i) {
    RedisClient client = node(i).client();
    const auto start = [](std::size_t part) { return part * kSlots / kMasters; };
    client.must(
        {"CLUSTER", "ADDSLOTSRANGE", std::to_string(start(i)), std::to_string(start(i + 1) - 1)});
    // Otherwise all have one, and an election breaks the tie when they meet.
    client.must({"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
  }
}

// Each to each: they would tell of each other, but slower.
void RedisCluster::introduce_nodes() {
  for (std::size_t i = 0; i < size(); ++i)
    for (std::size_t j = i + 1; j < size(); ++j)
      node(i).client().must({"CLUSTER", "MEET", "127.0.0.1", std::to_string(node(j).port()),
                             std::to_string(node(j).bus_port())});
}

void RedisCluster::attach_replicas() {
  for (std::size_t i = kMasters; i < size(); ++i) {
    RedisClient client = node(i).client();
    RedisReply reply;
    // An error until they have met.
    if (!eventually([&] {
          reply = client.command({"CLUSTER", "REPLICATE", ids_[i - kMasters]});
          return reply.is_ok();
        }))
      throw TimedOut("CLUSTER REPLICATE => " + reply.text);
  }
}

std::vector<std::uint16_t> RedisCluster::ports() const {
  std::vector<std::uint16_t> all;
  all.reserve(nodes_.size());
  for (const auto& node : nodes_) all.push_back(node->port());
  return all;
}

std::size_t RedisCluster::index_of(std::int64_t port) const {
  const std::vector<std::uint16_t> all = ports();
  const auto found = std::ranges::find(all, port);
  if (found == all.end()) throw std::runtime_error("no node's port: " + std::to_string(port));
  return static_cast<std::size_t>(found - all.begin());
}

std::size_t RedisCluster::first_up() {
  for (std::size_t i = 0; i < size(); ++i)
    if (node(i).is_up()) return i;
  throw std::runtime_error("no node of the cluster is up");
}

int RedisCluster::slot_of(std::string_view key) {
  RedisClient client = node(first_up()).client();
  return static_cast<int>(client.must({"CLUSTER", "KEYSLOT", std::string(key)}).number);
}

// CLUSTER SLOTS has a range of slots' first and last, its master, its replicas: each an address, a
// port and more.
RedisCluster::View RedisCluster::view_of(std::size_t index) {
  View view;
  view.replicas.resize(size());
  for (const RedisReply& range : node(index).client().must({"CLUSTER", "SLOTS"}).elements) {
    const auto node_at = [&](std::size_t i) {
      return index_of(range.elements.at(i).elements.at(1).number);
    };
    const std::size_t master = node_at(2);
    std::fill(view.masters.begin() + range.elements.at(0).number,
              view.masters.begin() + range.elements.at(1).number + 1, master);
    std::vector<std::size_t> replicas;
    for (std::size_t i = 3; i < range.elements.size(); ++i) replicas.push_back(node_at(i));
    std::ranges::sort(replicas);
    view.replicas.at(master) = std::move(replicas);
  }
  return view;
}

std::size_t RedisCluster::master_of(int slot) {
  const std::size_t master = view_of(first_up()).masters.at(static_cast<std::size_t>(slot));
  if (master == View::kNobody) throw std::runtime_error("nobody has slot " + std::to_string(slot));
  return master;
}

std::vector<std::size_t> RedisCluster::replicas_of(std::size_t master) {
  return view_of(first_up()).replicas.at(master);
}

bool RedisCluster::is_replica_in_touch(std::size_t index) {
  const RedisReply info = node(index).client().must({"INFO", "replication"});
  return info.field("role") == "slave" && info.field("master_link_status") == "up";
}

bool RedisCluster::is_ok() {
  const View view = view_of(first_up());
  std::vector<bool> has_part(size(), false);
  for (const std::size_t master : view.masters) {
    if (master == View::kNobody || !node(master).is_up()) return false;
    has_part[master] = true;
  }
  const std::vector<bool> is_master = has_part;
  for (const auto& replicas : view.replicas)
    for (const std::size_t replica : replicas) has_part[replica] = true;
  for (std::size_t i = 0; i < size(); ++i) {
    if (!node(i).is_up()) continue;
    if (!has_part[i] || view_of(i) != view) return false;
    if (!is_master[i] && !is_replica_in_touch(i)) return false;
    RedisClient client = node(i).client();
    if (client.must({"CLUSTER", "INFO"}).field("cluster_state") != "ok") return false;
  }
  return true;
}

void RedisCluster::await_ok() {
  if (eventually([&] { return is_ok(); })) return;
  throw TimedOut("the cluster:\n" + node(first_up()).client().must({"CLUSTER", "NODES"}).text);
}

void RedisCluster::migrate_slot(int slot, std::size_t from, std::size_t to) {
  begin_migration(slot, from, to);
  move_keys(keys_in(slot, from), from, to);
  finish_migration(slot, from, to);
  await_ok();
}

void RedisCluster::begin_migration(int slot, std::size_t from, std::size_t to) {
  // In this order: nobody is sent to a node that does not expect him.
  node(to).client().must({"CLUSTER", "SETSLOT", std::to_string(slot), "IMPORTING", ids_.at(from)});
  node(from).client().must({"CLUSTER", "SETSLOT", std::to_string(slot), "MIGRATING", ids_.at(to)});
}

std::vector<std::string> RedisCluster::keys_in(int slot, std::size_t index) {
  RedisClient client = node(index).client();
  return client.must({"CLUSTER", "GETKEYSINSLOT", std::to_string(slot), "1000000"}).texts();
}

void RedisCluster::move_keys(const std::vector<std::string>& keys, std::size_t from,
                             std::size_t to) {
  if (keys.empty()) return;
  std::vector<std::string> words = {"MIGRATE", "127.0.0.1", std::to_string(node(to).port()),
                                    "",        "0",         std::to_string(kPatience.count())};
  const std::string password = node(to).configured("requirepass");
  if (!password.empty()) words.insert(words.end(), {"AUTH", password});
  words.emplace_back("KEYS");
  words.insert(words.end(), keys.begin(), keys.end());
  node(from).client().must(words);
}

void RedisCluster::finish_migration(int slot, std::size_t from, std::size_t to) {
  // The two first, of these the receiver: else the slot would be nobody's for a moment. Only
  // masters may be told; replicas hear of it.
  const std::vector<std::string> words = {"CLUSTER", "SETSLOT", std::to_string(slot), "NODE",
                                          ids_.at(to)};
  node(to).client().must(words);
  node(from).client().must(words);
  for (std::size_t i = 0; i < size(); ++i) {
    if (i == to || i == from || !node(i).is_up()) continue;
    RedisClient client = node(i).client();
    if (client.must({"ROLE"}).elements.at(0).text == "master") client.must(words);
  }
}

}  // namespace weir::test
