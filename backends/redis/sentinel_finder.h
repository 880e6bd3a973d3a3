// The master that Redis Sentinels have under a name: the first of them that knows it is asked first
// the next time. Loop thread only.
#pragma once

#include <deque>
#include <memory>

#include "backends/redis/place_finder.h"
#include "backends/redis/topology.h"
#include "base/life.h"
#include "base/net/event_loop.h"
#include "base/net/resolver.h"

namespace weir::backends::redis {

class SentinelFinder final : public PlaceFinder {
 public:
  SentinelFinder(EventLoop& loop, Resolver& resolver, const Topology& topology);
  ~SentinelFinder() override;

  std::unique_ptr<PendingAnswer> find(Found found) override;

 private:
  class Search;

  void prefer(const HostAndPort& sentinel);
  void put_last(const HostAndPort& sentinel);

  EventLoop& loop_;
  Resolver& resolver_;
  const Topology topology_;
  std::deque<HostAndPort> sentinels_;  // the best one first
  Life<SentinelFinder> life_{*this};
};

}  // namespace weir::backends::redis
