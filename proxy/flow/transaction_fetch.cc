// What a transaction has fetched: for itself and those who follow it, or behind a stale copy.
#include "proxy/flow/transaction.h"
#include "proxy/upstream/request_head.h"

namespace weir::flow {

using policy::Reason;
using policy::RequestClass;

// As the first reader of a flight: has it flown and waits for its news.
Transaction::Step Transaction::lead(Ref<Flight> flight, Form form, bool shared) {
  now_.reader = std::make_unique<FlightReader>(flight, waker(), true);
  now_.pipe = make_ref<ClientPipe>(*exchange_);
  FetchPlan plan = make_plan(form);
  plan.shared = shared;
  plan.pipe = now_.pipe;
  context_.drivers.start(std::move(flight), std::move(plan));
  start_timers();
  return Step::AwaitFlight;
}

FetchPlan Transaction::make_plan(Form form) {
  const http::RequestHead& head = request();
  const RequestPlan& request_plan = now_.plan;
  FetchPlan plan;
  plan.site = now_.site;
  plan.route = request_plan.route;
  plan.request_class = request_plan.kind;
  plan.authority = head.authority;
  plan.may_store = request_plan.kind != RequestClass::Bypass && !now_.remembered;
  plan.refusal = now_.remembered ? now_.remembered : request_plan.refusal;
  if (request_plan.kind == RequestClass::Shared && plan.may_store &&
      context_.shared.budget.exhausted()) {
    plan.may_store = false;
    plan.refusal = {Reason::TooLarge, "fill_memory"};
  }
  keys::SentRequest sent = sent_request(head, exchange_->scheme(), request_plan, form);
  plan.removed_cookies = sent.removed_cookies;
  upstream::ForwardInfo info{.peer_ip = exchange_->peer_ip(),
                             .peer_trusted = exchange_->peer_trusted(),
                             .scheme = std::string(exchange_->scheme()),
                             .authority = sent.host};
  plan.request = upstream::make_fetch_request(head, std::move(sent), info);
  plan.client = OwnedHead(head);
  if (request_plan.cached_route() && request_plan.kind != RequestClass::Bypass) {
    plan.base_key = OwnedKey(base_key_.view());
    plan.table_key = OwnedKey(lookup_key());
  }
  return plan;
}

// A stale copy goes out; its successor is fetched for whoever comes next.
// Only what any miss might fetch: a personal request never leads, and what the app has just refused
// or failed to give is not asked for again at every hit.
void Transaction::refresh_behind() {
  const std::int64_t now_ms = context_.loop.now_ms();
  Shared& shared = context_.shared;
  if (now_.plan.kind != RequestClass::Shared || request().method == http::Method::Head ||
      shared.budget.exhausted() || shared.uncacheable.recall(base_key_.view(), now_ms) ||
      shared.failed_refreshes.recall(base_key_.view(), now_ms)) {
    return;
  }
  FlightTable::Joined joined =
      shared.flights.join(lookup_key(), shared.budget, shared.purge_position.load());
  if (!joined.lead) return;
  if (store().lookup_now(lookup_key(), backends::Purpose::Probe) != now_.entry) {  // a refresh has landed
    shared.flights.remove(lookup_key(), joined.flight);
    joined.flight->release(Flight::Release::Retry, nullptr, false);
    return;
  }
  FetchPlan plan = make_plan(Form::Shared);
  plan.shared = true;
  plan.keep_on = true;
  context_.drivers.start(std::move(joined.flight), std::move(plan));
}

}  // namespace weir::flow
