// A request's body on its way to the handler, or what a tunnelled client sends.
#include <utility>

#include "base/check.h"
#include "proxy/front/h1_exchange.h"

namespace weir::front {

BodyRead H1Exchange::read_body(std::span<char> into) {
  WEIR_CHECK(!into.empty());  // it would wait for ever for what is there
  H1RequestReader& reader = link_->reader;
  gathering_ = false;
  const bool was_full = reader.full();
  const BodyRead read = tunnel_ ? reader.read_raw(into) : reader.read_body(into);
  if (read.status == BodyRead::Status::Pending) return await_body();
  link_->deadlines.body_read(read.bytes);
  if (!link_->peer_done) link_->deadlines.await_nothing();  // else it is that of peer_closed()
  if (was_full) owner_->update_interest();
  return read;
}

bool H1Exchange::body_gathered() {
  const H1RequestReader& reader = link_->reader;
  gathering_ =
      !head_.expect_continue && !link_->peer_done && !reader.full() && !reader.holds_rest_of_body();
  return !gathering_;
}

void H1Exchange::drop_body() {
  if (tunnel_ || done_ || link_->dead) return;
  body_unwanted_ = true;
  body_wanted_ = gathering_ = false;
  owner_->update_interest();  // as much as is taken ahead may be here already
}

BodyRead H1Exchange::await_body() {
  if (link_->peer_done) return {tunnel_ ? BodyRead::Status::End : BodyRead::Status::Failed};
  body_wanted_ = true;
  if (tunnel_) return {BodyRead::Status::Pending};
  if (head_.expect_continue && !std::exchange(continue_sent_, true) && !responding_) {
    output_.head() += "HTTP/1.1 100 Continue\r\n\r\n";
    write_out();
  }
  link_->deadlines.await_body();
  return {BodyRead::Status::Pending};
}

void H1Exchange::body_arrived() {
  if (gathering_) return tell_of_body();
  if (!body_wanted_) return;
  if (!tunnel_) {
    link_->deadlines.body_has_come();
    if (refuse_slow_body()) return;
  }
  tell_of_body();
}

void H1Exchange::tell_of_body() {
  body_wanted_ = gathering_ = false;
  handler_->request_body_ready();
}

// Whether it was: it comes too slowly, and others wait for what it holds.
bool H1Exchange::refuse_slow_body() {
  if (!link_->deadlines.body_is_too_slow() || !handler_->holds_up_others()) return false;
  body_wanted_ = false;
  refuse({.status = 408, .detail = "body-rate"});
  return true;
}

}  // namespace weir::front
