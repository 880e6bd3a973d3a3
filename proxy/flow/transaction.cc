#include "proxy/flow/transaction.h"

#include "base/http/cache_control.h"
#include "cachekeys/key_builder.h"
#include "cachekeys/normalize.h"
#include "cachekeys/sent_request.h"
#include "proxy/upstream/request_head.h"

namespace weir::flow {

using backends::Purpose;
using policy::Reason;
using policy::RequestClass;
using policy::Reuse;

Transaction::~Transaction() = default;

void Transaction::start(front::Exchange& exchange) {
  exchange_ = &exchange;
  site_ = context_.site;
  run(Step::Route);
}

void Transaction::run(Step step) {
  while (true) {
    switch (step) {
      case Step::Route:
        step = route();
        break;
      case Step::Key:
        step = key();
        break;
      case Step::Lookup:
        step = lookup();
        break;
      case Step::Judge:
        step = judge();
        break;
      case Step::ServeHit:
        step = serve_hit();
        break;
      case Step::Join:
        step = join();
        break;
      case Step::Fetch:
        step = fetch();
        break;
      case Step::Pass:
        step = pass();
        break;
      case Step::Convoy:
        step = convoy();
        break;
      case Step::Answer:
        step = answer_options();
        break;
      case Step::Parked:
      case Step::Finish:
        return;
    }
  }
}

Transaction::Step Transaction::route() {
  const http::RequestHead& head = request();
  if (policy::ends_here(head)) return Step::Answer;
  const int index = site_->site->router.match(head.method_text, head.authority, head.path);
  if (index >= 0) route_ = &site_->site->routes[static_cast<std::size_t>(index)];
  const policy::RequestVerdict verdict =
      policy::judge_before_key(head, route_ != nullptr, route_ ? route_->rule : nullptr);
  if (verdict.reason == Reason::None) return Step::Key;
  class_ = RequestClass::Bypass;
  refusal_ = {verdict.reason, std::string(verdict.subject)};
  return Step::Pass;
}

Transaction::Step Transaction::key() {
  const http::RequestHead& head = request();
  const keys::KeyVerdict key =
      keys::build_key(head, route_->recipe, exchange_->scheme(), head.authority, base_key_);
  const policy::RequestVerdict verdict = policy::judge_request(head, true, route_->rule, key);
  class_ = verdict.kind;
  if (verdict.reason != Reason::None) {
    refusal_ = {verdict.reason, std::string(verdict.subject)};
  }
  return class_ == RequestClass::Bypass ? Step::Pass : Step::Lookup;
}

// The entry under the base key, or, where the URL has variants, under this request's.
backends::EntryRef Transaction::find_entry(Purpose purpose) {
  has_variant_ = false;
  backends::EntryRef found = store().lookup_now(base_key_.view(), purpose);
  if (!found || found->kind() == backends::Entry::Kind::Response) return found;
  keys::build_variant_key(base_key_.view(), found->vary(), request(), route_->recipe,
                          request().authority, variant_key_);
  has_variant_ = true;
  found = store().lookup_now(variant_key_.view(), purpose);
  if (found) found->touch(context_.loop.now_ms());
  return found;
}

Transaction::Step Transaction::lookup() {
  entry_ = find_entry(Purpose::Serve);
  return Step::Judge;
}

bool Transaction::client_accepts(const http::HeaderBlock& fields) const {
  const std::optional<http::FieldView> coding = fields.find(http::FieldId::ContentEncoding);
  return !coding || keys::accepts_encoding(request(), coding->value);
}

Transaction::Step Transaction::judge() {
  stale_if_error_ = stale_if_slow_ = false;
  reuse_ = {};
  http::RequestCacheControl client;
  if (request().has(http::FieldId::CacheControl) || request().has(http::FieldId::Pragma)) {
    client = http::parse_request_cache_control(request());
  }
  const bool readable = entry_ && client_accepts(entry_->fields());
  if (readable) {
    reuse_ = policy::judge_reuse(entry_->meta(), *route_->rule, route_->backend->default_expire_s(),
                                 class_, client, context_.loop.now_ms());
    if (reuse_.reuse == Reuse::Fresh) return Step::ServeHit;
    if (reuse_.reuse == Reuse::StaleWhileRevalidate) {
      refresh_behind();
      return serve_stale(Reason::StaleWhileRevalidate, 0);
    }
    stale_if_slow_ = reuse_.reuse == Reuse::StaleIfError;
    stale_if_error_ = stale_if_slow_ && reuse_.reason != Reason::StaleSlow;
  }
  if (client.only_if_cached) {
    leave_convoy();
    outcome_.forward = policy::Forward::None;
    outcome_.detail = Reason::OnlyIfCached;
    note_outcome();
    exchange_->send_error(504, policy::token(Reason::OnlyIfCached), {.cache_status = status_});
    return Step::Finish;
  }
  const bool usable_name = readable && reuse_.reuse != Reuse::Unusable;
  outcome_.forward = usable_name    ? policy::Forward::Stale
                     : has_variant_ ? policy::Forward::VaryMiss
                                    : policy::Forward::UriMiss;
  if (usable_name && reuse_.reason == Reason::ClientNoCache) {
    outcome_.forward = policy::Forward::Request;
  }
  return class_ == RequestClass::Shared && !alone_ ? Step::Join : Step::Pass;
}

Transaction::Step Transaction::join() {
  exchange_->keep_request();
  if (request().method == http::Method::Head) return Step::Pass;
  const std::int64_t now_ms = context_.loop.now_ms();
  if (auto memory = context_.shared.uncacheable.recall(base_key_.view(), now_ms)) {
    remembered_ = std::move(*memory);
    return Step::Pass;
  }
  if (route_->rule->coalesce == conf::Coalesce::Off || context_.shared.budget.exhausted()) {
    return Step::Pass;
  }
  // Under this name, even if the look below finds that the URL has variants by now.
  const OwnedKey name(lookup_key());
  FlightTable::Joined joined = context_.shared.flights.join(name.view(), context_.shared.budget,
                                                            context_.shared.purge_position.load());
  if (!joined.lead) {
    outcome_.collapsed = true;
    reader_.emplace(std::move(joined.flight), slot(), false);
    start_timers();
    return Step::Parked;
  }
  // The flight of a moment ago may have landed between our look-up and this one's take-off.
  const backends::EntryRef landed = find_entry(Purpose::Probe);
  const bool news = landed && landed != entry_ && client_accepts(landed->fields());
  if (news || !(lookup_key() == name.view())) {
    context_.shared.flights.remove(name.view(), joined.flight);
    joined.flight->release(Flight::Release::Retry, nullptr, false);
    entry_ = landed;
    return Step::Judge;
  }
  reader_.emplace(std::move(joined.flight), slot(), true);
  return Step::Fetch;
}

Transaction::Step Transaction::fetch() {
  launch(Form::Shared, true);
  start_timers();
  return Step::Parked;
}

Transaction::Step Transaction::pass() {
  exchange_->keep_request();
  Form form = Form::Shared;
  if (class_ == RequestClass::Personal) form = Form::Personal;
  if (class_ == RequestClass::Bypass || remembered_) form = Form::Verbatim;
  reader_.emplace(make_ref<Flight>(context_.shared.budget, context_.shared.purge_position.load()),
                  slot(), true);
  launch(form, false);
  start_timers();
  return Step::Parked;
}

// Starts the fetch of the flight that reader_ leads.
void Transaction::launch(Form form, bool shared) {
  pipe_ = make_ref<ClientPipe>(*exchange_);
  FetchPlan plan = make_plan(form);
  plan.shared = shared;
  plan.pipe = pipe_;
  context_.drivers.start(reader_->share_flight(), std::move(plan));
}

FetchPlan Transaction::make_plan(Form form) {
  const http::RequestHead& head = request();
  const bool cached_route = route_ && route_->rule;
  FetchPlan plan;
  plan.site = site_;
  plan.route = route_;
  plan.request_class = class_;
  plan.authority = head.authority;
  if (class_ == RequestClass::Bypass) plan.refusal = refusal_;
  if (class_ == RequestClass::Personal) plan.personal = refusal_;
  if (remembered_) plan.refusal = remembered_;
  if (class_ == RequestClass::Shared && !plan.refusal && context_.shared.budget.exhausted()) {
    plan.refusal = {Reason::TooLarge, "fill_memory"};
  }
  keys::SentRequest sent;
  switch (form) {
    case Form::Shared:
      sent = keys::shared_request(head, route_->recipe, head.authority, exchange_->scheme());
      break;
    case Form::Personal:
      sent = keys::personal_request(head, route_->recipe, head.authority, exchange_->scheme());
      break;
    case Form::Verbatim:
      sent = keys::verbatim_request(head, head.authority, cached_route);
      break;
  }
  plan.removed_cookies = sent.removed_cookies;
  upstream::ForwardInfo info{.peer_ip = exchange_->peer_ip(),
                             .peer_trusted = exchange_->peer_trusted(),
                             .scheme = std::string(exchange_->scheme()),
                             .authority = sent.host};
  plan.request = upstream::make_fetch_request(head, std::move(sent), info);
  plan.client = OwnedHead(head);
  if (cached_route && class_ != RequestClass::Bypass) {
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
  if (class_ != RequestClass::Shared || request().method == http::Method::Head ||
      shared.budget.exhausted() || shared.uncacheable.recall(base_key_.view(), now_ms) ||
      shared.failed_refreshes.recall(base_key_.view(), now_ms)) {
    return;
  }
  FlightTable::Joined joined =
      shared.flights.join(lookup_key(), shared.budget, shared.purge_position.load());
  if (!joined.lead) return;
  // Whether somebody's refresh has landed.
  if (store().lookup_now(lookup_key(), Purpose::Probe) != entry_) {
    shared.flights.remove(lookup_key(), joined.flight);
    joined.flight->release(Flight::Release::Retry, nullptr, false);
    return;
  }
  FetchPlan plan = make_plan(Form::Shared);
  plan.shared = true;
  plan.keep_on = true;
  context_.drivers.start(std::move(joined.flight), std::move(plan));
}

void Transaction::request_body_ready() {
  if (pipe_) pipe_->client_has_bytes();
}

void Transaction::finished() {
  leave_flight();
  leave_convoy();
  drop_slot();
  if (wait_timer_) wait_timer_->stop();
  if (stale_timer_) stale_timer_->stop();
  exchange_ = nullptr;
  site_ = nullptr;
  route_ = nullptr;
  class_ = RequestClass::Shared;
  refusal_ = {};
  remembered_ = {};
  has_variant_ = false;
  entry_ = nullptr;
  reuse_ = {};
  stale_if_error_ = stale_if_slow_ = convoy_turn_ = alone_ = answered_ = false;
  entry_body_.reset(nullptr);
  outcome_ = {};
}

Ref<WakeSlot>& Transaction::slot() {
  if (!slot_) slot_ = make_ref<WakeSlot>(context_.loop, *this);
  return slot_;
}

// News that is still under way for what we no longer wait for must not be taken for news of what
// we wait for next: every wait has a slot of its own.
void Transaction::drop_slot() {
  if (slot_) slot_->forget();
  slot_ = nullptr;
}

void Transaction::leave_flight() {
  if (wait_timer_) wait_timer_->stop();
  if (stale_timer_) stale_timer_->stop();
  if (pipe_) pipe_->client_gone();
  pipe_ = nullptr;
  if (!reader_) return;
  reader_.reset();
  drop_slot();
}

void Transaction::leave_convoy() {
  if (!convoy_) return;
  convoy_->leave(convoy_slot_);
  if (convoy_slot_) convoy_slot_->forget();
  convoy_slot_ = nullptr;
  convoy_ = nullptr;
  convoy_turn_ = false;
}

// ---- TransactionPool ----

front::Handler* TransactionPool::acquire() {
  if (idle_.empty()) return new Transaction(context_);
  Transaction* taken = idle_.back().release();
  idle_.pop_back();
  return taken;
}

void TransactionPool::release(front::Handler* handler) {
  std::unique_ptr<Transaction> transaction(static_cast<Transaction*>(handler));
  if (idle_.size() < kPooled) idle_.push_back(std::move(transaction));
}

}  // namespace weir::flow
