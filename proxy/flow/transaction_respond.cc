// How a transaction answers: from a store, from a flight, or by itself. Every answer that has a
// representation leaves through respond().
#include <algorithm>

#include "base/http/date.h"
#include "cachekeys/sent_request.h"
#include "proxy/flow/reuse.h"
#include "proxy/flow/transaction.h"

namespace weir::flow {

using policy::Reason;
using policy::RequestClass;

// The one exit. The outcome has been set; what is said anew to each client is written here.
Transaction::Step Transaction::respond(Representation answer, std::int64_t age_s) {
  now_.answer = std::move(answer);
  note_outcome();
  const front::FreshFields fresh{.age_s = age_s, .cache_status = status_};
  const bool is_flight = !now_.answer.entry();
  if (is_flight && now_.answer.status() == 101) {
    exchange_->send_tunnel(now_.answer.flight_head(), now_.answer.open(waker()));
    now_.pipe->open_tunnel();
    return Step::Sending;
  }
  if (!is_flight && is_not_modified()) {
    exchange_->send_not_modified(*now_.answer.entry(), fresh);
    return Step::Sending;
  }
  const std::string location = restored_location();
  if (!location.empty()) {
    http::ResponseHead changed = now_.answer.copy_head();
    changed.fields.set(http::FieldId::Location, location);
    exchange_->send(changed, fresh, &now_.answer.open(waker()));
  } else if (is_flight) {
    exchange_->send(now_.answer.flight_head(), fresh, &now_.answer.open(waker()));
  } else {
    exchange_->send_entry(now_.answer.entry(), fresh);
  }
  return Step::Sending;
}

// A client's conditions are held against what is stored. A flight's answer is sent whole.
bool Transaction::is_not_modified() const {
  const http::RequestHead& head = request();
  const bool by_tag = head.has(http::FieldId::IfNoneMatch);
  if (!by_tag && !head.has(http::FieldId::IfModifiedSince)) return false;
  return policy::select(head, now_.answer.validators(!by_tag), context_.loop.clock().wall_s()) ==
         policy::Selection::NotModified;
}

// What this client's query lost on the way to the app comes back on the app's redirects.
std::string Transaction::restored_location() const {
  const int status = now_.answer.status();
  if (status < 300 || status >= 400 || !request().has_query) return {};
  if (!now_.answer.entry() && now_.sent != Form::Shared) return {};
  const std::string_view location = now_.answer.location();
  if (location.empty()) return {};
  return keys::restore_query(
      location, request().authority,
      sent_request(request(), exchange_->destination(), now_.plan, Form::Shared));
}

void Transaction::note_outcome() {
  status_.clear();
  policy::append_cache_status(status_, now_.outcome);
  front::LogNotes& said = exchange_->notes();
  if (now_.plan.route) {
    said.route = route().route->name;
    said.counts = &now_.site->counts_of(route());
  }
  said.verdict = policy::verdict_of(now_.outcome);
  said.collapsed = now_.outcome.collapsed;
  said.detail = policy::token(now_.outcome.detail.reason);
  said.subject = now_.outcome.detail.subject;
}

// ---- from a store ----

Transaction::Step Transaction::serve_hit() {
  now_.outcome.hit = true;
  return serve_stored();
}

Transaction::Step Transaction::serve_stale(Reason reason, int app_status) {
  leave_flight();
  policy::CacheOutcome& outcome = now_.outcome;
  outcome.hit = reason == Reason::StaleWhileRevalidate;
  outcome.forward = outcome.hit ? policy::Forward::None : policy::Forward::Stale;
  outcome.forward_status = static_cast<std::uint16_t>(app_status);
  outcome.detail = {reason, {}};
  return serve_stored();
}

Transaction::Step Transaction::serve_stored() {
  now_.outcome.has_ttl = true;
  now_.outcome.ttl_s = now_.reuse.freshness.ttl_s();
  return respond(Representation(std::move(now_.entry)), now_.reuse.freshness.age_s);
}

// ---- from a flight ----

// Whoever shares a stored answer that is arriving tells its age, as from a store.
Transaction::Step Transaction::serve_flight(const Flight::State& state) {
  const FlightHead& head = *state.head;
  const std::int64_t since_s =
      std::max<std::int64_t>(context_.loop.now_ms() - head.arrived_ms, 0) / 1000;
  policy::CacheOutcome& outcome = now_.outcome;
  const bool stored =
      !head.refusal && now_.plan.cached_route() && now_.plan.kind != RequestClass::Bypass;
  outcome.stored = stored && !outcome.collapsed;
  outcome.has_ttl = stored;
  outcome.ttl_s = head.ttl_s - since_s;
  outcome.detail = detail_of(head.refusal, stored, now_.reuse);
  if (head.variants_full) outcome.detail = {Reason::Variants, {}};
  outcome.forward = forward_of(now_.plan, stored, outcome.forward);
  now_.reader->give_up_own();
  if (!outcome.collapsed) exchange_->notes().upstream_ms = head.upstream_ms;
  const bool shares = stored && outcome.collapsed;
  const std::int64_t age_s = shares ? head.meta.initial_age_s + since_s : head.age_s;
  return respond(Representation(*now_.reader, state.head), age_s > 0 ? age_s : -1);
}

// What the log says of a response that did not come whole, whatever it had said before. A tunnel
// ends when it ends.
void Transaction::response_cut() {
  if (!now_.reader || now_.answer.status() == 101) return;
  const bool too_slow = now_.reader->left_behind();
  now_.outcome.detail = too_slow ? policy::Refusal{Reason::TooLarge, "a slow reader"}
                                 : policy::Refusal{Reason::Truncated, {}};
  note_outcome();
}

// ---- of its own ----

Transaction::Step Transaction::refuse(int status, policy::Refusal why) {
  now_.outcome.detail = std::move(why);
  note_outcome();
  exchange_->send_error(status, policy::token(now_.outcome.detail.reason),
                        {.cache_status = status_});
  return Step::Sending;
}

Transaction::Step Transaction::refuse_only_if_cached() {
  now_.outcome.forward = policy::Forward::None;
  return refuse(504, {Reason::OnlyIfCached, {}});
}

// RFC 9110 7.6.2: who may not forward is the one who is asked for its options.
Transaction::Step Transaction::answer_options() {
  exchange_->notes().detail = "max-forwards";
  http::ResponseHead head;
  head.status = 204;
  head.fields.add(http::FieldId::Date, http::format_date(context_.loop.clock().wall_s()));
  head.fields.add("Allow", front::kAllowedMethods);
  exchange_->send(head, {.cache_status = "weir; detail=max-forwards"}, nullptr);
  return Step::Sending;
}

}  // namespace weir::flow
