#include "proxy/upstream/reach.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"

namespace weir::upstream {
namespace {

// Who asks is a probe, which gives up soon as well.
constexpr std::int64_t kPatience_ms = 1'000;

}  // namespace

// To one address.
class Reach::Attempt final : public WireConnection::Owner {
 public:
  Attempt(Reach& reach, std::size_t url)
      : reach_(reach), url_(url), connection_(reach.wires_.open(url, *this)) {}
  ~Attempt() override { reach_.wires_.close(std::move(connection_)); }

 private:
  void on_connected() override { reach_.end({}); }
  void on_unreachable(std::string message) override {
    reach_.failed(reach_.pool_.url(url_), message);
  }
  void on_ready(WireConnection&, bool, bool) override {}

  Reach& reach_;
  const std::size_t url_;
  std::unique_ptr<WireConnection> connection_;
};

Reach::Reach(WirePool& wires, const UpstreamPool& pool, std::function<void()> ended)
    : wires_(wires),
      pool_(pool),
      ended_(std::move(ended)),
      patience_(wires.loop(), [this] { tell(); }) {
  if (is_down_by_checks()) {
    end(fail(ErrorCode::Unavailable, "the app is down, by its health checks"));
    return;
  }
  patience_.start(kPatience_ms);
  for (std::size_t i = 0; i < pool.size(); ++i) {
    attempts_.push_back(std::make_unique<Attempt>(*this, i));
  }
}

Reach::~Reach() {
  // Not a literal: of one g++ 12 believes under ThreadSanitizer that it is moved out of bounds.
  static const std::string kWhy = "another configuration has come meanwhile: ask again";
  for (Fetcher::Tell& tell : asked_) tell(fail(ErrorCode::Cancelled, kWhy));
}

bool Reach::is_down_by_checks() const {
  for (std::size_t i = 0; i < pool_.size(); ++i) {
    if (pool_.is_healthy(i)) return false;
  }
  return true;
}

// Within the call of a connection, which stays until everybody is told.
void Reach::end(Result<void> result) {
  if (!result_) result_ = std::move(result);
  patience_.start(0);
}

void Reach::failed(const conf::UpstreamUrl& url, const std::string& why) {
  if (++failures_ < pool_.size()) return;
  end(fail(ErrorCode::Unavailable,
           fmt::format("the app cannot be reached: {}: {}", url.text, quote(why))));
}

void Reach::tell() {
  if (!result_) {
    result_ = fail(ErrorCode::Timeout, "the app cannot be reached: no connection within a second");
  }
  for (Fetcher::Tell& tell : std::exchange(asked_, {})) tell(*result_);
  ended_();
}

}  // namespace weir::upstream
