// The masters of a Redis Cluster: each name is asked of who has its slot, and where that has just
// changed, of who is said to have it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "backends/redis/cluster_map.h"
#include "backends/redis/servers.h"

namespace weir::backends::redis {

class ClusterServers final : public Servers {
 public:
  ClusterServers(RedisShared& shared, EventLoop& loop);
  ~ClusterServers() override;

  Link::Started call(Load load, std::string_view name, Commands commands,
                     Link::Heard heard) override;
  std::size_t masters() const override;
  Link::Started call_master(std::size_t index, const Commands& commands,
                            Link::Heard heard) override;
  // It was found by what a known one said of it.
  void met_another() override {}

 private:
  class Routed;
  struct Node {
    Node(const ClusterServers& servers, const HostAndPort& place);

    std::shared_ptr<ServerHealth> health;
    Link small;
    Link large;
  };

  static Link::Started start(std::unique_ptr<Routed> routed);
  std::unique_ptr<PlaceFinder> finder_of(const HostAndPort& place) const;
  Node& node_at(const HostAndPort& place);
  void drop_idle_nodes();
  void drop_left_nodes();

  RedisShared& shared_;
  EventLoop& loop_;
  ClusterMap map_;
  std::map<std::string, Node> nodes_;  // by their places
  std::uint64_t looked_through_ = 0;   // the map by which those that have left are gone
};

}  // namespace weir::backends::redis
