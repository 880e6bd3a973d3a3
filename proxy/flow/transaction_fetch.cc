// What a transaction has fetched: for itself and those who follow it, or behind a stale copy.
#include "proxy/flow/reuse.h"
#include "proxy/flow/transaction.h"
#include "proxy/upstream/request_head.h"

namespace weir::flow {

using policy::RequestClass;

// As the first reader of a flight: has it flown and waits for its news.
Transaction::Step Transaction::lead(Ref<Flight> flight, Form form, bool joinable) {
  now_.reader = std::make_unique<FlightReader>(flight, waker(), Runner::First);
  now_.pipe = make_ref<ClientPipe>(*exchange_);
  FillOrder order = make_order(form);
  order.joinable = joinable;
  order.pipe = now_.pipe;
  context_.fills.start(std::move(flight), std::move(order));
  start_timers();
  return Step::AwaitFlight;
}

// A key that is known not to be cacheable is asked for without waiting for anybody. A request of
// which something would be withheld goes as it came, for its answer is its client's alone. Others
// keep the shared form, so that the first answer that may be stored is, and ends the memory.
FillOrder Transaction::make_order(Form form) {
  const http::RequestHead& head = request();
  FillOrder order;
  order.site = now_.site;
  order.route = now_.plan.route;
  order.request_class = now_.plan.kind;
  order.remembered = now_.remembered;
  order.refusal = now_.remembered ? now_.remembered : now_.plan.refusal;
  order.has_copy = now_.entry != nullptr;
  order.only_stored = now_.only_stored;
  order.again = now_.app_failed;
  order.authority = head.authority;
  const keys::Destination destination = exchange_->destination();
  order.scheme = destination.scheme;
  order.destination = destination.authority;
  keys::SentRequest sent = sent_request(head, destination, now_.plan, form);
  if (form == Form::Shared && now_.remembered && withholds(sent, head)) {
    form = Form::Verbatim;
    sent = sent_request(head, destination, now_.plan, form);
  }
  order.cacheable = form != Form::Verbatim;
  order.removed_cookies = sent.removed_cookies;
  now_.withheld = !sent.removed_cookies.empty();
  order.removed_unknown_cookie = sent.removed_unknown_cookie;
  now_.sent = form;
  const upstream::ForwardInfo info{.peer_ip = exchange_->peer_ip(),
                                   .peer_trusted = exchange_->peer_trusted(),
                                   .believed = exchange_->believed(),
                                   .scheme = std::string(destination.scheme),
                                   .authority = sent.told_host};
  order.request = upstream::make_fetch_request(head, std::move(sent), info);
  order.client = OwnedHead(head);
  if (now_.plan.kind != RequestClass::Bypass) {
    order.look_up = now_.counted ? backends::Purpose::Probe : backends::Purpose::Serve;
    order.base_key = OwnedKey(base_key_.view());
    order.table_key = OwnedKey(lookup_key());
  }
  return order;
}

// One for all who have waited for long enough; they go on waiting for the first one as well, and
// this request leads the second.
void Transaction::start_second() {
  if (!now_.reader->begin_second()) return;
  FillOrder order = make_order(Form::Shared);
  order.joinable = true;
  order.runner = Runner::Second;
  context_.fills.start(now_.reader->flight(), std::move(order));
}

// A stale copy goes out; its successor is fetched for whoever comes next.
// Only what any miss might fetch: a personal request never leads, and what the app has just refused
// or failed to give is not asked for again at every hit.
void Transaction::refresh_behind() {
  const std::int64_t now_ms = context_.loop.now_ms();
  SharedTables& tables = context_.tables;
  if (now_.plan.kind != RequestClass::Shared || request().method == http::Method::Head ||
      tables.budget.exhausted() || tables.failed_refreshes.recall(base_key_.view(), now_ms)) {
    return;
  }
  FlightTable::Joined joined = tables.flights.join(lookup_key(), tables.budget, tables.purges);
  if (!joined.lead) return;
  FillOrder order = make_order(Form::Shared);
  order.joinable = true;
  order.refresh = true;
  order.only_stored = false;  // others may follow it, and wait for what the app says
  context_.fills.start(std::move(joined.flight), std::move(order));
}

}  // namespace weir::flow
