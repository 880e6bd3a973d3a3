// The half of a transaction that has to do with flights: what it does when one has news.
#include "cachekeys/key_builder.h"
#include "cachekeys/sent_request.h"
#include "proxy/flow/transaction.h"

namespace weir::flow {

using policy::Reason;

void Transaction::wake() {
  if (!exchange_) return;
  if (reader_) return run(on_flight());
  if (convoy_ && !convoy_turn_) {
    convoy_turn_ = true;
    run(take_turn());
  }
}

// What one of the convoy learned of the app holds for all; else it is this request's turn to ask,
// unless an earlier one's answer is in the store by now.
Transaction::Step Transaction::take_turn() {
  const Convoy::Failure failure = convoy_->failure();
  return failure.status == 0 ? Step::Lookup : fail(failure.status, failure.reason);
}

Transaction::Step Transaction::on_flight() {
  if (answered_) {
    exchange_->body_ready();
    return Step::Parked;
  }
  if (reader_->missed_bytes()) {
    leave_flight();
    outcome_.collapsed = false;
    return Step::Lookup;
  }
  const Flight::State state = reader_->flight().state();
  if (state.phase == Flight::Phase::Waiting) return Step::Parked;
  if (state.phase == Flight::Phase::Failed) {
    if (convoy_) convoy_->fail({state.error_status, state.error_reason});
    return fail(state.error_status, state.error_reason);
  }
  if (state.release != Flight::Release::None) return on_released(state);
  return on_head(state);
}

// Whether the flight's answer is this request's as well: with a Vary, only if it asks for the same
// variant; and in a coding that the client can read.
bool Transaction::is_for_me(const FlightHead& head) {
  if (!client_accepts(head.response.fields)) return false;
  if (head.vary.empty()) return true;
  keys::build_variant_key(base_key_.view(), head.vary, request(), route_->recipe,
                          request().authority, variant_key_);
  return variant_key_.view().bytes == head.variant_key;
}

Transaction::Step Transaction::on_head(const Flight::State& state) {
  const FlightHead& head = *state.head;
  if (!reader_->leader() && !is_for_me(head)) {
    const bool readable = client_accepts(head.response.fields);
    leave_flight();
    outcome_.collapsed = false;
    if (!readable) return Step::Pass;
    return Step::Lookup;  // the marker is in place by now: it leads to this request's variant
  }
  if (head.response.status >= 500 && stale_if_error_) {
    return serve_stale(Reason::StaleIfError, head.response.status);
  }
  send_flight(head);
  return Step::Parked;
}

Transaction::Step Transaction::on_released(const Flight::State& state) {
  using Release = Flight::Release;
  const int status = state.head ? state.head->response.status : 0;
  if (state.release == Release::AppError && stale_if_error_) {
    return serve_stale(Reason::StaleIfError, status);
  }
  if (reader_->leader() && state.head) {
    send_flight(*state.head);
    return Step::Parked;
  }
  outcome_.collapsed = false;
  if (state.release == Release::AppError) return leave_for_convoy();
  const bool retry = state.release == Release::Retry;
  leave_flight();
  if (retry) return Step::Lookup;
  if (auto memory = context_.shared.uncacheable.recall(base_key_.view(), context_.loop.now_ms())) {
    remembered_ = std::move(*memory);
  }
  return Step::Pass;
}

// No answer of the app's will come.
Transaction::Step Transaction::fail(int status, Reason reason) {
  if (stale_if_error_ && status >= 500) return serve_stale(Reason::StaleIfError, status);
  leave_convoy();
  answered_ = true;
  outcome_.detail = reason;
  note_outcome();
  exchange_->send_error(status, policy::token(reason), {.cache_status = status_});
  return Step::Finish;
}

void Transaction::send_flight(const FlightHead& head) {
  answered_ = true;
  leave_convoy();  // whoever waits behind may go as soon as the app has answered this one
  const http::ResponseHead& response = head.response;
  const bool stored = head.refusal.reason == Reason::None && route_ && route_->rule &&
                      class_ != policy::RequestClass::Bypass;
  outcome_.stored = stored && !outcome_.collapsed;
  outcome_.has_ttl = stored;
  outcome_.ttl_s = head.ttl_s;
  outcome_.detail = head.refusal.reason;
  if (stored && reuse_.reason == Reason::ClientNoCache) outcome_.detail = Reason::ClientNoCache;
  if (head.variants_full) outcome_.detail = Reason::Variants;
  if (class_ == policy::RequestClass::Bypass) {
    outcome_.forward =
        refusal_.reason == Reason::Method ? policy::Forward::Method : policy::Forward::Bypass;
  } else if (class_ == policy::RequestClass::Personal && !stored) {
    outcome_.forward = policy::Forward::Bypass;
  }
  note_outcome();
  exchange_->outcome().subject = head.refusal.subject;
  if (!outcome_.collapsed) exchange_->outcome().upstream_ms = head.upstream_ms;
  const front::FreshFields fresh{.age_s = head.age_s > 0 ? head.age_s : -1,
                                 .cache_status = status_};
  if (response.status == 101) {
    exchange_->send_tunnel(response, *reader_);
    pipe_->open_tunnel();
    return;
  }
  const bool may_redirect = response.status >= 300 && response.status < 400 && route_ &&
                            route_->rule && class_ == policy::RequestClass::Shared && !remembered_;
  const std::string location =
      may_redirect ? restored_location(response.fields.value(http::FieldId::Location)) : "";
  if (location.empty()) return exchange_->send(response, fresh, &*reader_);
  http::ResponseHead changed = response;
  changed.fields.set(http::FieldId::Location, location);
  exchange_->send(changed, fresh, &*reader_);
}

// ---- waiting ----

void Transaction::start_timers() {
  if (!reader_->leader()) {
    if (!wait_timer_)
      wait_timer_ = std::make_unique<Timer>(context_.loop, [this] { waited_enough(); });
    wait_timer_->start(site_->site->config->limits.coalesce_wait_ms);
  }
  if (stale_if_slow_ && route_->rule->stale_after_ms) {
    if (!stale_timer_)
      stale_timer_ = std::make_unique<Timer>(context_.loop, [this] { app_is_slow(); });
    stale_timer_->start(*route_->rule->stale_after_ms);
  }
}

// limits.coalesce_wait is over and the flight still has no head.
void Transaction::waited_enough() {
  if (!reader_ || answered_) return;
  if (reader_->flight().state().phase != Flight::Phase::Waiting) return;
  outcome_.collapsed = false;
  if (stale_if_slow_) return run(serve_stale(Reason::StaleSlow, 0));
  run(leave_for_convoy());
}

// stale_after is over: the copy goes out, and the fetch goes on for those who come later.
void Transaction::app_is_slow() {
  if (!reader_ || answered_) return;
  reader_->flight().keep_on();
  run(serve_stale(Reason::StaleSlow, 0));
}

Transaction::Step Transaction::leave_for_convoy() {
  convoy_ = reader_->flight().share_convoy();
  leave_flight();
  return Step::Convoy;
}

Transaction::Step Transaction::convoy() {
  alone_ = true;
  convoy_slot_ = make_ref<WakeSlot>(context_.loop, *this);
  if (!convoy_->enter(convoy_slot_)) return Step::Parked;
  convoy_turn_ = true;
  return take_turn();
}

}  // namespace weir::flow
