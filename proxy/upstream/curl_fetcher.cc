#include "proxy/upstream/curl_fetcher.h"

#include <algorithm>
#include <utility>

#include "proxy/upstream/curl_fetch.h"
#include "proxy/upstream/tunnel.h"

namespace weir::upstream {

CurlFetcher::CurlFetcher(EventLoop& loop, std::shared_ptr<UpstreamPool> pool)
    : pool_(std::move(pool)),
      curl_(loop, pool_->connections_per_loop()),
      tunnels_(loop, 0),
      most_running_(pool_->connections_per_loop()) {}

CurlFetcher::~CurlFetcher() = default;

std::unique_ptr<Fetch> CurlFetcher::start(FetchRequest request, FetchSink& sink) {
  if (request.upgrade) return make_tunnel(tunnels_, *pool_, std::move(request), sink);
  return enter(std::move(request), sink, std::nullopt);
}

std::unique_ptr<Fetch> CurlFetcher::start_at(std::size_t url, FetchRequest request,
                                             FetchSink& sink) {
  return enter(std::move(request), sink, url);
}

// The bound on connections is kept here, in the order of arrival, and not by curl's own queue,
// which starts its clocks while a request waits.
std::unique_ptr<Fetch> CurlFetcher::enter(FetchRequest request, FetchSink& sink,
                                          std::optional<std::size_t> only_url) {
  if (free_.empty()) {
    free_.push_back(all_.emplace_back(std::make_unique<CurlFetch>(*this, curl_, *pool_)).get());
  }
  CurlFetch* fetch = free_.back();
  free_.pop_back();
  std::unique_ptr<Fetch> handle = fetch->begin(std::move(request), sink, only_url);
  if (running_ < most_running_) {
    ++running_;
    fetch->admit();
  } else {
    waiting_.push_back(fetch);
  }
  return handle;
}

void CurlFetcher::leave(CurlFetch& fetch, bool was_waiting) {
  if (was_waiting) {
    std::erase(waiting_, &fetch);
  } else if (waiting_.empty()) {
    --running_;
  } else {
    CurlFetch* next = waiting_.front();
    waiting_.pop_front();
    next->inherit(fetch);
    next->admit();
  }
  if (fetch.has_easy()) {
    free_.push_back(&fetch);
  } else {
    free_.push_front(&fetch);
  }
}

std::unique_ptr<Fetcher> make_curl_fetcher(EventLoop& loop, std::shared_ptr<UpstreamPool> pool) {
  return std::make_unique<CurlFetcher>(loop, std::move(pool));
}

}  // namespace weir::upstream
