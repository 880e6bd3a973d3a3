// How an HTTP/1.1 session's exchanges, and the session itself, end.
#include <ctime>
#include <utility>

#include "proxy/front/h1_session.h"
#include "proxy/front/monotonic.h"

namespace weir::front {
namespace {

// After a goodbye: how long a client may go on talking before the connection is closed under it.
// Without this a reset could overtake the response it has not yet read.
constexpr std::int64_t kLingerMs = 2'000;
// An idle connection keeps no more buffer than this.
constexpr std::size_t kIdleBacklogBytes = 4 * 1024;

}  // namespace

// Acts on what the calls before it decided. Only at the bottom of the session's own entry points;
// may destroy the session.
void H1Session::settle() {
  if (phase_ == Phase::Exchange && x_->done) {
    inside_ = true;
    finish_exchange();
    if (phase_ == Phase::Idle && !backlog_.empty()) {
      const std::size_t used = parse(backlog_);
      if (phase_ != Phase::Dead) backlog_.erase(0, used);
    }
    inside_ = false;
    if (phase_ == Phase::Exchange && x_->done) return settle_soon();
  }
  // What a client sent before it closed its half is all served by now.
  if (peer_done_ && (phase_ == Phase::Idle || phase_ == Phase::Head)) die();
  if (phase_ == Phase::Dead) {
    context_.owner.remove(*this);
    return;
  }
  update_interest();
}

void H1Session::settle_soon() {
  if (inside_ || std::exchange(settle_posted_, true)) return;
  loop().post([this, alive = alive_] {
    if (!*alive) return;
    settle_posted_ = false;
    settle();
  });
}

void H1Session::finish_exchange() {
  // What is left of the request's body: thrown away if it is here, else the connection must end.
  const bool body_over = x_->tunnel || x_->body.discard(backlog_);
  const bool close = x_->close_after || !body_over || x_->tunnel;
  log_exchange();
  if (Handler* handler = std::exchange(x_->handler, nullptr)) {
    handler->finished();
    context_.handlers.release(handler);
  }
  exchanges_.give(std::move(x_));
  if (phase_ == Phase::Dead) return;
  if (close || context_.draining) {
    if (peer_done_) return die();
    return linger();
  }
  phase_ = Phase::Idle;
  if (backlog_.empty() && backlog_.capacity() > kIdleBacklogBytes) backlog_ = {};
  read_deadline_.set(loop().now_ms() + context_.limits.keepalive_timeout_ms);
}

void H1Session::linger() {
  phase_ = Phase::Linger;
  lingered_bytes_ = 0;
  backlog_.clear();
  backlog_.shrink_to_fit();
  connection_->shutdown_write();
  read_deadline_.set(loop().now_ms() + kLingerMs);
  if (write_deadline_) write_deadline_->clear();
}

void H1Session::log_exchange() {
  AccessLog* log = context_.access_log;
  if (!log) return;
  const http::RequestHead& head = x_->head;
  timespec wall{};
  clock_gettime(CLOCK_REALTIME, &wall);
  log->write({
      .wall_ms = std::int64_t{wall.tv_sec} * 1000 + wall.tv_nsec / 1'000'000,
      .client = peer_.ip,
      .method = head.method_text,
      .target = head.target,
      .host = head.authority,
      .minor_version = head.minor_version,
      .status = x_->status,
      .bytes = x_->output.body_bytes(),
      .route = x_->notes.route,
      .cache = x_->notes.verdict,
      .detail = x_->notes.detail,
      .subject = x_->notes.subject,
      .upstream_ms = x_->notes.upstream_ms,
      .total_us = x_->started_us == 0 ? 0 : monotonic_us() - x_->started_us,
      .referer = head.value(http::FieldId::Referer),
      .user_agent = head.value(http::FieldId::UserAgent),
  });
}

}  // namespace weir::front
