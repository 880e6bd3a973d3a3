// The fetcher of one loop: a pool of CurlFetch objects, a queue for those that wait for a
// connection, tunnels for upgrades. Loop thread only. When it goes, its fetches fall silent and
// their handles do nothing more; handles of tunnels must have gone before.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/net/event_loop.h"
#include "proxy/upstream/curl_loop.h"
#include "proxy/upstream/fetcher.h"
#include "proxy/upstream/upstream_pool.h"

namespace weir::upstream {

class CurlFetch;

class CurlFetcher final : public Fetcher {
 public:
  CurlFetcher(EventLoop& loop, std::shared_ptr<UpstreamPool> pool);
  ~CurlFetcher() override;

  std::unique_ptr<Fetch> start(FetchRequest request, FetchSink& sink) override;
  // The same for one address only, without retries: the health check's.
  std::unique_ptr<Fetch> start_at(std::size_t url, FetchRequest request, FetchSink& sink);

  // By a fetch that has ended; it is in the pool again when this returns.
  void leave(CurlFetch& fetch, bool was_waiting);

  const CurlLoop& curl() const { return curl_; }

 private:
  std::unique_ptr<Fetch> enter(FetchRequest request, FetchSink& sink,
                               std::optional<std::size_t> only_url);

  const std::shared_ptr<UpstreamPool> pool_;
  CurlLoop curl_;
  CurlLoop tunnels_;  // apart: curl ages the connections of a pool, and a tunnel may live for days
  std::vector<std::unique_ptr<CurlFetch>> all_;
  std::deque<CurlFetch*> free_;  // those with an easy handle behind
  std::deque<CurlFetch*> waiting_;
  const std::size_t most_running_;
  std::size_t running_ = 0;
};

// The one that everybody else uses. init_curl() must have been called.
std::unique_ptr<Fetcher> make_curl_fetcher(EventLoop& loop, std::shared_ptr<UpstreamPool> pool);

}  // namespace weir::upstream
