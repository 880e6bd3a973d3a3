// Who has which slot of a Redis Cluster, as its nodes say. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backends/redis/link.h"
#include "backends/redis/place_finder.h"
#include "backends/redis/slots.h"
#include "backends/redis/topology.h"

namespace weir::backends::redis {

class ClusterMap {
 public:
  ClusterMap(EventLoop& loop, Resolver& resolver, const Topology& topology);
  ~ClusterMap();
  ClusterMap(const ClusterMap&) = delete;
  ClusterMap& operator=(const ClusterMap&) = delete;

  // As was heard last; null: nobody has said it yet. Until the next refresh.
  const SlotMap* known() const { return known_.get(); }
  const Topology& topology() const { return topology_; }

  // How often it was said.
  std::uint64_t heard() const { return heard_; }
  // Nobody has said it yet, though all were asked.
  bool is_out_of_reach() const { return !known_ && was_asked_; }

  // Asks the nodes, one after another, until one says it: not more often than some times a second.
  // `told` is called once, later; known() is what is known then.
  using Told = std::move_only_function<void()>;
  std::unique_ptr<PendingAnswer> refresh(Told told);
  // Nobody waits for it.
  void refresh() { begin(); }
  // Why nobody has said it.
  const std::string& why_not() const { return why_; }

 private:
  class Handle;
  struct Waiting {
    std::uint64_t number = 0;
    Told told;
  };

  void begin();
  void ask_next();
  void on_answer(const Link::Replies& replies);
  void blame(const std::string& why);
  void end();
  void tell_all();

  EventLoop& loop_;
  Resolver& resolver_;
  const Topology topology_;
  std::unique_ptr<const SlotMap> known_;
  bool is_asking_ = false;
  bool was_asked_ = false;
  std::uint64_t heard_ = 0;
  std::int64_t not_before_ms_ = 0;
  std::vector<HostAndPort> left_;  // to be asked, the next one last
  HostAndPort asked_;
  std::string why_ = "nobody was asked";
  std::unique_ptr<Link> link_;
  std::unique_ptr<PendingAnswer> call_;
  std::vector<Waiting> waiting_;
  std::uint64_t next_number_ = 0;
  Life<ClusterMap> life_{*this};
};

// The master of one slot. The map outlives it.
class SlotFinder final : public PlaceFinder {
 public:
  SlotFinder(ClusterMap& map, std::size_t slot) : map_(map), slot_(slot) {}
  std::unique_ptr<PendingAnswer> find(Found found) override;

 private:
  ClusterMap& map_;
  const std::size_t slot_;
};

}  // namespace weir::backends::redis
