#include "proxy/upstream/health.h"

#include <utility>
#include <vector>

#include "base/log.h"
#include "base/net/timer.h"
#include "proxy/upstream/wire_fetcher.h"

namespace weir::upstream {
namespace {

// A single lost answer is no reason to send everybody elsewhere.
constexpr int kFailuresToDown = 2;

// The checks of one address.
class Probe final : private FetchSink {
 public:
  Probe(EventLoop& loop, WireFetcher& fetcher, UpstreamPool& pool, std::size_t url)
      : fetcher_(fetcher),
        pool_(pool),
        url_(url),
        next_(loop, [this] { ask(); }),
        patience_(loop, [this] { judge(false, "no answer in time"); }) {
    next_.start(0);
  }

 private:
  void ask() {
    FetchRequest request;
    request.method = http::Method::Get;
    request.method_text = "GET";
    request.target = pool_.config().health.path;
    request.host = pool_.own_host(url_);
    request.fields.add(http::FieldId::UserAgent, "weir-health");
    status_ = 0;
    patience_.start(pool_.config().health.timeout_ms);
    fetch_ = fetcher_.start_at(url_, std::move(request), *this);
  }

  void judge(bool good, std::string_view why) {
    patience_.stop();
    fetch_.reset();
    next_.start(pool_.config().health.interval_ms);
    failures_ = good ? 0 : failures_ + 1;
    const bool down = failures_ >= kFailuresToDown;
    if (down == std::exchange(down_, down)) return;
    pool_.set_healthy(url_, !down);
    if (down) {
      log_warn("upstream {} is down: {}", pool_.url(url_).text, quote(why));
    } else {
      log_info("upstream {} is up again", pool_.url(url_).text);
    }
  }

  void on_informational(http::ResponseHead&&) override {}
  void on_head(http::ResponseHead&& head) override { status_ = head.status; }
  void on_body(std::string_view) override {}
  void on_end(FetchEnd&& end) override {
    const bool whole =
        end.result == FetchResult::Complete || end.result == FetchResult::CompleteByClose;
    judge(whole && status_ < 400, whole ? "an error status" : end.message);
  }

  WireFetcher& fetcher_;
  UpstreamPool& pool_;
  const std::size_t url_;
  Timer next_;
  Timer patience_;
  std::unique_ptr<Fetch> fetch_;
  int status_ = 0;
  int failures_ = 0;
  bool down_ = false;
};

class Checker final : public HealthChecker {
 public:
  Checker(EventLoop& loop, const std::shared_ptr<UpstreamPool>& pool)
      : connections_(pool->size()), fetcher_(loop, pool, connections_) {
    for (std::size_t i = 0; i < pool->size(); ++i) {
      probes_.push_back(std::make_unique<Probe>(loop, fetcher_, *pool, i));
    }
  }

 private:
  OpenConnections connections_;  // a check takes no connection from the clients
  WireFetcher fetcher_;
  std::vector<std::unique_ptr<Probe>> probes_;
};

}  // namespace

std::unique_ptr<HealthChecker> start_health_checks(EventLoop& loop,
                                                   const std::shared_ptr<UpstreamPool>& pool) {
  if (pool->config().health.path.empty()) return nullptr;
  return std::make_unique<Checker>(loop, pool);
}

}  // namespace weir::upstream
