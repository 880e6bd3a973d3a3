#include "proxy/front/h1_deadlines.h"

#include <algorithm>

namespace weir::front {
namespace {

// limits.min_body_rate counts after so long.
constexpr std::int64_t kBodyRateGraceMs = 10'000;
// How often a body is looked at that comes too slowly, but for which nobody has to wait.
constexpr std::int64_t kSlowBodyLookMs = 1'000;
// How often a client is looked at that has closed its half and waits for an answer.
constexpr std::int64_t kHalfClosedLookMs = 2'000;
// How often a client is looked at that is not being read, because what it has sent ahead waits.
constexpr std::int64_t kUnreadLookMs = 2'000;
// How long a draining worker waits for a request that may be under way: the first one of a new
// connection, or the next one of a client that keeps asking.
constexpr std::int64_t kDrainingRequestMs = 500;
// After a goodbye: how long a client may go on talking before the connection is closed under it.
// Without this a reset could overtake the response it has not yet read.
constexpr std::int64_t kGoodbyeMs = 2'000;
// The same while the rest of a body is coming that the app did not want: many clients read no
// answer before they have sent it all. In all, and between bytes.
constexpr std::int64_t kTalkMs = 30'000;
constexpr std::int64_t kSilenceMs = 5'000;
constexpr std::uint64_t kLongestS = 1'000'000;  // no sum overflows

}  // namespace

H1Deadlines::H1Deadlines(EventLoop& loop, const conf::Limits& limits, Owner& owner)
    : loop_(loop),
      limits_(limits),
      owner_(owner),
      receiving_(loop, [this] { owner_.waited_long_enough(wait_); }) {}

void H1Deadlines::await(Wait wait, std::int64_t until_ms) {
  wait_ = wait;
  receiving_.set(until_ms);
}

void H1Deadlines::await_request(std::int64_t now_ms) {
  request_awaited_ms_ = now_ms;
  await(Wait::Request, now_ms + limits_.keepalive_timeout_ms);
}

void H1Deadlines::await_request_while_draining() {
  await(Wait::Request, loop_.now_ms() + kDrainingRequestMs);
}

bool H1Deadlines::is_idle_for_long() const {
  return loop_.now_ms() - request_awaited_ms_ >= kDrainingRequestMs;
}

void H1Deadlines::await_head() {
  await(Wait::Head, loop_.now_ms() + limits_.header_timeout_ms);
}

void H1Deadlines::await_body() {
  body_wait_began_ms_ = loop_.now_ms();
  body_awaited_ = true;
  await_more_body();
}

// Until it has stopped for good, or would be too slow by then.
void H1Deadlines::await_more_body() {
  const std::int64_t now_ms = loop_.now_ms();
  std::int64_t until_ms = body_wait_began_ms_ + limits_.body_timeout_ms;
  if (until_ms <= now_ms) until_ms = now_ms + kSlowBodyLookMs;  // it has stopped, and may
  if (limits_.min_body_rate != 0) {
    const auto enough_for_ms = static_cast<std::int64_t>(
        std::min<std::uint64_t>(body_bytes_ / limits_.min_body_rate, kLongestS) * 1000 + 1000);
    const std::int64_t slow_in_ms = std::max(enough_for_ms, kBodyRateGraceMs) - body_waited_ms();
    until_ms = std::min(until_ms, now_ms + std::max(slow_in_ms, kSlowBodyLookMs));
  }
  await(Wait::Body, until_ms);
}

void H1Deadlines::await_look_at_half_closed() {
  await(Wait::HalfClose, loop_.now_ms() + kHalfClosedLookMs);
}

void H1Deadlines::await_look_at_unread() {
  if (wait_ == Wait::Unread && receiving_.is_set()) return;
  await(Wait::Unread, loop_.now_ms() + kUnreadLookMs);
}

void H1Deadlines::await_goodbye() {
  await(Wait::Goodbye, loop_.now_ms() + kGoodbyeMs);
  if (sending_) sending_->clear();
}

void H1Deadlines::await_end_of_talk() {
  talk_until_ms_ = loop_.now_ms() + kTalkMs;
  is_talking();
  if (sending_) sending_->clear();
}

void H1Deadlines::is_talking() {
  if (talk_until_ms_ == 0) return;
  await(Wait::Goodbye, std::min(talk_until_ms_, loop_.now_ms() + kSilenceMs));
}

// ---- limits.min_body_rate ----

void H1Deadlines::body_begins() {
  body_bytes_ = 0;
  body_waited_ms_ = 0;
  body_awaited_ = false;
}

std::int64_t H1Deadlines::body_waited_ms() const {
  return body_waited_ms_ + (body_awaited_ ? loop_.now_ms() - body_wait_began_ms_ : 0);
}

void H1Deadlines::body_has_come() {
  body_waited_ms_ = body_waited_ms();
  body_awaited_ = false;
}

bool H1Deadlines::body_has_stopped() const {
  return body_awaited_ && loop_.now_ms() - body_wait_began_ms_ >= limits_.body_timeout_ms;
}

bool H1Deadlines::body_is_too_slow() const {
  const std::int64_t waited_ms = body_waited_ms();
  if (limits_.min_body_rate == 0 || waited_ms < kBodyRateGraceMs) return false;
  return body_bytes_ * 1000 < limits_.min_body_rate * static_cast<std::uint64_t>(waited_ms);
}

// ---- for what the client takes ----

void H1Deadlines::await_progress() {
  if (!sending_) {
    sending_ = std::make_unique<Deadline>(loop_, [this] { owner_.waited_long_enough(Wait::Send); });
  }
  if (!sending_->is_set()) sending_->set(loop_.now_ms() + limits_.send_timeout_ms);
}

void H1Deadlines::progressed() {
  if (sending_) sending_->clear();
}

}  // namespace weir::front
