// Who still wants what a fill brings, and for how long it goes on for nobody.
#include <algorithm>
#include <utility>

#include "proxy/flow/fill.h"

namespace weir::flow {
namespace {

// How long nobody notices that a fetch without readers has become one that others wait for.
constexpr std::int64_t kLookAtUnread_ms = 250;

}  // namespace

void Fill::wake() {
  if (flight_->has_lost(order_.runner) && !take_own_flight()) return run(lose());
  if (step_ == Step::AwaitCommit) return;  // whoever reads or not, the stores will say how it ended
  if (!wanted() && give_up_if_unread() == Step::Done) return run(Step::Done);
  if (!fetch_) return;
  if (order_.refresh && flight_->reader_count() > 0) fetch_->hurry();
  bound_unread_life(config().upstream.idle_timeout_ms);
  resume_if_wanted();
}

// Without readers it goes on: until the head, if it may be shared, has a connection, and no client
// waits for one (those who have left must not keep the others from it); then, if it is to be stored
// and its length is known. What somebody wants kept on goes on from the start, and also with an
// unknown length.
bool Fill::wanted() const {
  if (flight_->reader_count() > 0) return true;
  const bool goes_on = order_.refresh || flight_->kept_on();
  if (!fetch_) return goes_on;
  if (!head_) {
    return goes_on || (order_.joinable && !fetch_->waiting() && !fetcher().crowded());
  }
  return storing_ && (goes_on || head_->response.framing == http::Framing::Length);
}

// Done, unless there is a reader after all.
Fill::Step Fill::give_up_if_unread() {
  if (flight_->has_lost(order_.runner) && !take_own_flight()) return lose();
  if (flight_->reader_count() == 0 && flight_->leave_race(order_.runner)) return lose();
  if (!flight_->close_if_unread()) return step_;
  note_failed_refresh();  // it was to be stored, and will not be
  return Step::Done;
}

// An app that drips its answer must not hold memory and a connection for nobody, for ever; and one
// that has not begun it holds the connection only as long as nobody waits for that.
void Fill::bound_unread_life(std::int64_t at_most_ms) {
  if (flight_->reader_count() > 0) return;
  if (!unread_timer_) {
    unread_timer_ = std::make_unique<Timer>(loop(), [this] { look_at_unread_life(); });
  }
  unread_until_ms_ = loop().now_ms() + at_most_ms;
  unread_timer_->start(std::min(at_most_ms, kLookAtUnread_ms));
}

void Fill::look_at_unread_life() {
  if (step_ == Step::AwaitCommit || flight_->reader_count() > 0) return;
  const std::int64_t left_ms = unread_until_ms_ - loop().now_ms();
  if (left_ms > 0 && wanted()) return unread_timer_->start(std::min(left_ms, kLookAtUnread_ms));
  if (give_up_if_unread() == Step::Done) run(Step::Done);
}

// Who was too slow for the others is to have a fetch of its own when it tries again, whatever the
// reason for not storing this was.
void Fill::note_reader_left_behind() {
  if (!flight_->has_left_one_behind() || std::exchange(left_one_behind_, true)) return;
  remember({policy::Reason::TooLarge, "a slow reader"});
}

}  // namespace weir::flow
