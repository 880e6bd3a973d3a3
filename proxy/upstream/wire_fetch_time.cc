// What a fetch waits for, and for how long; and what its sink and its body say meanwhile.
#include <algorithm>
#include <utility>

#include "proxy/upstream/wire_fetch.h"
#include "proxy/upstream/wire_fetcher.h"

namespace weir::upstream {

// ---- the sink's wishes and time ----

void WireFetch::pause() {
  paused_ = true;
  if (answer_.has_head()) answer_by_ms_ = kNever;
}

void WireFetch::resume() {
  if (!std::exchange(paused_, false)) return;
  if (answer_.has_head()) time_answer();
  if (phase_ != Phase::Running) return;
  update_interest();
  if (connection_->tls()) fetcher_.schedule(*this);
}

void WireFetch::body_ready() {
  writer_.body_ready();
  if (gather_by_ms_ != kNever && request_.body->gathered()) body_gathered();
  if (phase_ == Phase::Running && body_waits_) fetcher_.schedule(*this);
}

void WireFetch::body_gathered() {
  gather_by_ms_ = kNever;
  pool_.places().gathered(*this);
}

// Apps that know nothing of Expect say nothing either (RFC 9110 10.1.1).
void WireFetch::await_continue() {
  constexpr std::int64_t kContinue_ms = 1'000;
  if (!writer_.holds_body()) return;
  continue_by_ms_ = now_ms() + kContinue_ms;
  arm_deadline();
}

void WireFetch::open_body() {
  if (std::exchange(continue_by_ms_, kNever) == kNever) return;
  writer_.open_body();
  fetcher_.schedule(*this);
}

void WireFetch::time_answer() {
  const bool timed = !paused_ && !answer_.event_stream();
  answer_by_ms_ = timed ? now_ms() + pool_.config().idle_timeout_ms : kNever;
  arm_deadline();
}

void WireFetch::arm_deadline() {
  const std::int64_t at = std::min({connect_by_ms_, answer_by_ms_, gather_by_ms_, continue_by_ms_});
  if (at != kNever) deadline_.set(at);
}

// Deadlines move later without telling the timer, which looks here when it fires.
void WireFetch::on_deadline() {
  if (phase_ == Phase::Idle) return;
  const std::int64_t now = now_ms();
  if (now >= gather_by_ms_) body_gathered();
  if (now >= continue_by_ms_) open_body();
  if (now >= connect_by_ms_) {
    return end_or_retry(FetchResult::Timeout, "no connection in time", true);
  }
  if (now < answer_by_ms_) return arm_deadline();
  const bool running = phase_ == Phase::Running || phase_ == Phase::Connecting;
  const char* why = answer_.has_head() ? "the answer's body stopped coming"
                    : running          ? "no answer in time"
                                       : "no free connection in time";
  finish(FetchResult::Timeout, why);
}

}  // namespace weir::upstream
