// The fetcher of one loop: a pool of WireFetch objects, and tunnels for upgrades. Loop thread only.
// When it goes, its fetches fall silent and their handles do nothing more; handles of tunnels must
// have gone before.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/net/event_loop.h"
#include "base/net/timer.h"
#include "proxy/upstream/fetcher.h"
#include "proxy/upstream/reach.h"
#include "proxy/upstream/upstream_pool.h"
#include "proxy/upstream/wire_pool.h"

namespace weir::upstream {

class WireFetch;

class WireFetcher final : public Fetcher {
 public:
  // `connections`: which bound its connections count against; outlives it.
  WireFetcher(EventLoop& loop, std::shared_ptr<UpstreamPool> pool, OpenConnections& connections);
  ~WireFetcher() override;

  std::unique_ptr<Fetch> start(FetchRequest request, FetchSink& sink) override;
  bool crowded() const override { return pool_->places().crowded(); }
  ConnectionFigures connections() const override;
  bool is_quiet() const override { return wires_.is_quiet(); }
  void reach(Tell tell) override;
  // As start(), for one address only, without retries and without waiting for a place: the health
  // check's.
  std::unique_ptr<Fetch> start_at(std::size_t url, FetchRequest request, FetchSink& sink);

  // By a fetch that has ended; it is in the pool again when this returns.
  void leave(WireFetch& fetch);
  // on_turn() soon, outside of every other call and after the loop has polled once more.
  void schedule(WireFetch& fetch);

  // How often events and timers have led to work; lets tests see busy loops.
  std::uint64_t wakeups() { return wires_.curl().wakeups(); }

 private:
  std::unique_ptr<Fetch> enter(FetchRequest request, FetchSink& sink,
                               std::optional<std::size_t> only_url);
  void run_turns();

  const std::shared_ptr<UpstreamPool> pool_;
  WirePool wires_;
  std::unique_ptr<Reach> reach_;  // while somebody asks for it
  Timer turn_;
  std::int64_t turn_started_us_ = 0;
  std::vector<WireFetch*> turns_;
  std::vector<WireFetch*> running_turns_;
  std::vector<std::unique_ptr<WireFetch>> all_;
  std::vector<WireFetch*> free_;
};

// The one that everybody else uses. init_curl() must have been called.
std::unique_ptr<Fetcher> make_fetcher(EventLoop& loop, std::shared_ptr<UpstreamPool> pool);

}  // namespace weir::upstream
