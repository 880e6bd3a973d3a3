#include "proxy/upstream/wire_fetcher.h"

#include <algorithm>
#include <utility>

#include "proxy/upstream/tunnel.h"
#include "proxy/upstream/wire_fetch.h"

namespace weir::upstream {

WireFetcher::WireFetcher(EventLoop& loop, std::shared_ptr<UpstreamPool> pool,
                         OpenConnections& connections)
    : pool_(std::move(pool)),
      wires_(loop, *pool_, connections),
      turn_(loop, [this] { run_turns(); }) {}

WireFetcher::~WireFetcher() = default;

std::unique_ptr<Fetch> WireFetcher::start(FetchRequest request, FetchSink& sink) {
  if (request.upgrade) return make_tunnel(wires_, *pool_, std::move(request), sink);
  return enter(std::move(request), sink, std::nullopt);
}

void WireFetcher::reach(Tell tell) {
  if (!reach_) reach_ = std::make_unique<Reach>(wires_, *pool_, [this] { reach_ = nullptr; });
  reach_->ask(std::move(tell));
}

std::unique_ptr<Fetch> WireFetcher::start_at(std::size_t url, FetchRequest request,
                                             FetchSink& sink) {
  return enter(std::move(request), sink, url);
}

std::unique_ptr<Fetch> WireFetcher::enter(FetchRequest request, FetchSink& sink,
                                          std::optional<std::size_t> only_url) {
  if (free_.empty()) {
    free_.push_back(all_.emplace_back(std::make_unique<WireFetch>(*this, wires_, *pool_)).get());
  }
  WireFetch* fetch = free_.back();
  free_.pop_back();
  return fetch->begin(std::move(request), sink, only_url);
}

void WireFetcher::leave(WireFetch& fetch) {
  if (std::exchange(fetch.scheduled, false)) {
    std::erase(turns_, &fetch);
    std::ranges::replace(running_turns_, &fetch, nullptr);
  }
  free_.push_back(&fetch);
}

// A timer of no time, for it fires behind the events of the next poll: whatever idle connections
// have to say is heard before any of them is used.
void WireFetcher::schedule(WireFetch& fetch) {
  if (std::exchange(fetch.scheduled, true)) return;
  turns_.push_back(&fetch);
  if (turn_.active()) return;
  turn_started_us_ = wires_.loop().clock().now_us();
  turn_.start(0);
}

// Those that are scheduled meanwhile wait for the next turn.
void WireFetcher::run_turns() {
  wires_.curl().count_wakeup();
  wires_.polled_after(turn_started_us_);
  running_turns_.swap(turns_);
  // By index: a turn may end other fetches, whose places are emptied then.
  for (std::size_t i = 0; i < running_turns_.size(); ++i) {
    WireFetch* const fetch = running_turns_[i];
    if (fetch == nullptr) continue;
    fetch->scheduled = false;
    fetch->on_turn();
  }
  running_turns_.clear();
}

ConnectionFigures WireFetcher::connections() const {
  const ConnectionPlaces::Figures places = pool_->places().figures();
  return {.open = pool_->connections().open(),
          .in_use = places.taken,
          .most = places.most,
          .waiting = places.waiting};
}

std::unique_ptr<Fetcher> make_fetcher(EventLoop& loop, std::shared_ptr<UpstreamPool> pool) {
  OpenConnections& connections = pool->connections();
  return std::make_unique<WireFetcher>(loop, std::move(pool), connections);
}

}  // namespace weir::upstream
