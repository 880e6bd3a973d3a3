#include "proxy/flow/transaction.h"

#include "base/check.h"
#include "base/http/cache_control.h"
#include "cachekeys/key_builder.h"
#include "proxy/flow/purge_judge.h"
#include "proxy/flow/reuse.h"

namespace weir::flow {

using backends::Purpose;
using policy::Reason;
using policy::RequestClass;
using policy::Reuse;

Transaction::Transaction(WorkerContext& context)
    : context_(context),
      wait_timer_(context.loop, [this] { waited_enough(); }),
      stale_timer_(context.loop, [this] { app_is_slow(); }) {}

Transaction::~Transaction() = default;

void Transaction::start(front::Exchange& exchange) {
  WEIR_CHECK(step_ == Step::Idle);
  exchange_ = &exchange;
  now_.site = context_.site;
  run(Step::Plan);
}

void Transaction::run(Step step) {
  while (step < Step::Idle) step = take(step);
  step_ = step;
}

Transaction::Step Transaction::take(Step step) {
  switch (step) {
    case Step::Plan:
      return plan();
    case Step::LookUp:
      return look_up();
    case Step::Judge:
      return judge();
    case Step::Join:
      return join();
    case Step::Pass:
      return pass();
    case Step::Idle:
    case Step::AwaitFlight:
    case Step::Sending:
      break;
  }
  return step;
}

void Transaction::wake() {
  switch (step_) {
    case Step::AwaitFlight:
      return run(on_flight());
    case Step::Sending:
      return exchange_->body_ready();
    default:
      WEIR_CHECK(false);  // in no other step has anybody a waker of this transaction's
  }
}

Transaction::Step Transaction::plan() {
  now_.plan = plan_request(request(), exchange_->destination(), *now_.site->site, base_key_);
  if (now_.plan.answered_here) return answer_options();
  return now_.plan.kind == RequestClass::Bypass ? Step::Pass : Step::LookUp;
}

// The entry under the base key, or, where the URL has variants, under this request's.
backends::EntryRef Transaction::find_entry() {
  using Kind = backends::Entry::Kind;
  now_.has_variant = false;
  backends::EntryRef found = store().lookup_now(base_key_.view(), Purpose::Serve);
  if (!found || found->kind() == Kind::Response) return found;
  keys::build_variant_key(base_key_.view(), found->vary(), request(), route().recipe,
                          request().authority, variant_key_);
  now_.has_variant = true;
  found = store().lookup_now(variant_key_.view(), Purpose::Serve);
  if (!found || found->kind() != Kind::Response) return nullptr;
  found->touch(context_.loop.now_ms());
  return found;
}

Transaction::Step Transaction::look_up() {
  now_.entry = find_entry();
  now_.counted = now_.entry || store().answers_now();
  return Step::Judge;
}

bool Transaction::client_accepts(std::string_view coding) const {
  return can_read(request(), coding);
}

// Whether an answer of this request's name is one that it can use.
bool Transaction::is_fit(std::string_view coding, const backends::EntryMeta& meta) const {
  return flow::is_fit(request(), route().recipe, coding, meta);
}

http::RequestCacheControl Transaction::directives() const {
  const http::RequestHead& head = request();
  if (!head.has(http::FieldId::CacheControl) && !head.has(http::FieldId::Pragma)) return {};
  return http::parse_request_cache_control(head);
}

policy::ReuseVerdict Transaction::judge_reuse(const backends::EntryMeta& meta,
                                              const http::RequestCacheControl& client) const {
  return policy::judge_reuse(meta, *route().rule, route().backend->default_expire_s(),
                             now_.plan.kind, client, context_.loop.now_ms());
}

Transaction::Step Transaction::judge() {
  const http::RequestCacheControl client = directives();
  now_.reuse = {};
  if (now_.entry) {
    const auto meta = usable_meta(*now_.entry, context_.tables.purges);
    now_.unfit = meta && !is_fit(now_.entry->content_encoding(), *meta);
    if (!meta || now_.unfit) {
      now_.entry = nullptr;
    } else {
      now_.reuse = judge_reuse(*meta, client);
    }
  }
  if (now_.entry) {
    if (now_.reuse.reuse == Reuse::Fresh) return serve_hit();
    if (now_.reuse.reuse == Reuse::StaleWhileRevalidate) {
      refresh_behind();
      return serve_stale(Reason::StaleWhileRevalidate, 0);
    }
  }
  now_.outcome.forward = why_forward({.has_copy = now_.entry != nullptr,
                                      .reuse = now_.reuse,
                                      .has_variant = now_.has_variant,
                                      .unfit = now_.unfit});
  now_.only_stored = client.only_if_cached;
  if (now_.only_stored) {
    const bool slower_may_have_it = !now_.entry && !store().answers_now();
    return slower_may_have_it ? Step::Pass : refuse_only_if_cached();
  }
  return now_.plan.kind == RequestClass::Shared ? Step::Join : Step::Pass;
}

// Whether the copy may go out in place of an answer: because the app failed, or is slow. Judged
// anew, for the copy has grown older while this request waited.
bool Transaction::may_serve_stale(bool app_failed) {
  if (!now_.entry || now_.reuse.reuse != Reuse::StaleIfError) return false;
  const auto meta = usable_meta(*now_.entry, context_.tables.purges);
  if (!meta) return false;
  now_.reuse = judge_reuse(*meta, directives());
  if (now_.reuse.reuse != Reuse::StaleIfError) return false;
  return !app_failed || now_.reuse.reason != Reason::StaleSlow;
}

// A HEAD is fetched for itself: its answer has no body that others could share, and what is
// remembered of a key is about answers to GET.
Transaction::Step Transaction::join() {
  exchange_->keep_request();
  if (request().method == http::Method::Head) return Step::Pass;
  const std::int64_t now_ms = context_.loop.now_ms();
  if (auto memory = context_.tables.uncacheable.recall(base_key_.view(), now_ms)) {
    now_.remembered = std::move(*memory);
    return Step::Pass;
  }
  if (route().rule->coalesce == conf::Coalesce::Off || context_.tables.budget.exhausted()) {
    return Step::Pass;
  }
  FlightTable::Joined joined = find_flight();
  if (!joined.lead) {
    now_.sent = Form::Shared;
    now_.outcome.collapsed = true;
    now_.reader = std::make_unique<FlightReader>(std::move(joined.flight), waker(), std::nullopt);
    start_timers();
    return Step::AwaitFlight;
  }
  return lead(std::move(joined.flight), Form::Shared, true);
}

// After the app's 5xx: the one that was begun for all who met it, whether it is under way still or
// not. Otherwise, the one in the table, or a new one.
FlightTable::Joined Transaction::find_flight() {
  const Ref<Flight> failed = std::exchange(now_.failed, nullptr);
  if (failed) {
    if (Ref<Flight> next = failed->successor(lookup_key())) return {std::move(next), false};
  }
  SharedTables& tables = context_.tables;
  FlightTable::Joined joined = tables.flights.join(lookup_key(), tables.budget, tables.purges);
  if (failed) failed->set_successor(lookup_key(), joined.flight);
  return joined;
}

Transaction::Step Transaction::pass() {
  exchange_->keep_request();
  Ref<Flight> flight = make_ref<Flight>(context_.tables.budget, context_.tables.purges.position());
  return lead(std::move(flight), now_.as_it_came ? Form::Verbatim : now_.plan.form(), false);
}

void Transaction::request_body_ready() {
  if (now_.pipe) now_.pipe->client_has_bytes();
}

void Transaction::finished() {
  stale_timer_.stop();
  leave_flight();
  waits_.end();
  std::destroy_at(&now_);  // built anew in place: assigning a new one costs a hit twice as much
  std::construct_at(&now_);
  exchange_ = nullptr;
  step_ = Step::Idle;
}

void Transaction::leave_flight() {
  wait_timer_.stop();
  if (now_.pipe) now_.pipe->client_gone();
  now_.pipe = nullptr;
  if (!now_.reader) return;
  now_.reader = nullptr;
  waits_.end();
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
