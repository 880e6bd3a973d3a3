#include "proxy/admin/keys_handler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/http/date.h"
#include "proxy/admin/json.h"

namespace weir::admin {
namespace {

// Another instance may have stored what is waited for.
constexpr std::int64_t kLookWhileWaiting_ms = 250;
// An app's values may be pages. Whoever opens one in a browser must not have it act as a page of
// the admin address's own.
constexpr std::string_view kHarmless =
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; sandbox\r\n";

}  // namespace

KeysHandler::KeysHandler(flow::WorkerContext& worker, values::LeaseTable& leases,
                         std::shared_ptr<LoopDoor> door)
    : ReplyingHandler(std::move(door)),
      worker_(worker),
      leases_(leases),
      wait_timer_(worker.loop, [this] { waited(); }),
      look_timer_(worker.loop, [this] { look_again(); }) {}

void KeysHandler::start(front::Exchange& exchange) {
  begin(exchange);
  site_ = worker_.site;
  seq_ = worker_.tables.purges.position();
  auto call = values::read_value_call(request().method, request().path, request().query);
  if (!call) return fault(call.error());
  call_ = std::move(*call);
  if (!choose_backend()) return;
  if (!call_.name.empty()) values::build_value_key(call_.name, key_);
  if (call_.kind != Kind::Get) exchange.keep_request();
  begin_call();
}

void KeysHandler::finished() {
  wait_timer_.stop();
  look_timer_.stop();
  takes_place_ = false;
  if (mine_) {
    // Where the fleet's was asked for it may be granted by now: nobody would use it.
    if (is_shared()) store().end_lease(key_.view(), mine_->token, [](auto) {});
    leases_.fail(line_name(), mine_->token, worker_.loop.now_ms());
  }
  mine_.reset();
  ticket_ = nullptr;
  lease_life_.end();
  walk_ = nullptr;
  pending_ = nullptr;
  intake_.reset();
  ReplyingHandler::finished();
}

void KeysHandler::fault(const values::ValueFault& fault) {
  exchange().drop_body();
  const std::string_view allow =
      fault.status == 405 ? values::allowed_methods(request().path) : std::string_view{};
  send(error_reply(fault.status, fault.field, fault.message), allow);
}

// The one that is named, else the farthest of the default tiers: so that instances agree.
bool KeysHandler::choose_backend() {
  const conf::Config& config = *site_->site->config;
  const std::string& name = call_.backend ? *call_.backend : config.default_tiers.back();
  const auto found = site_->site->backend_named(name);
  if (found) {
    backend_ = *found;
    return true;
  }
  std::string names;
  for (const conf::Backend& backend : config.backends) {
    names.append(names.empty() ? "" : ", ").append(backend.name);
  }
  fault({.field = "backend",
         .message = fmt::format("there is no {:?} (there are: {})", name, names)});
  return false;
}

void KeysHandler::begin_call() {
  switch (call_.kind) {
    case Kind::Get:
      return look_up(Purpose::Serve);
    case Kind::Clear:
      return look_up(Purpose::Probe);
    case Kind::GetOrLease:
      if (request().method == http::Method::Head) {
        return fault({.field = "lease", .message = "goes with GET"});
      }
      wait_until_ms_ = worker_.loop.now_ms() + call_.wait_ms;
      return look_up(Purpose::Serve);
    case Kind::Set:
    case Kind::GetOrSet:
      return begin_set();
    case Kind::EndLease:
      return end_lease();
    case Kind::List:
      return list();
    case Kind::ClearPattern:
      return clear_matching();
    case Kind::ClearAll:
      return clear_all();
  }
}

// ---- one value ----

std::optional<values::ValueAge> KeysHandler::usable(const backends::EntryMeta& meta,
                                                    std::span<const std::uint64_t> tags) const {
  return values::usable_value(meta, tags, backend_name(), worker_.tables.purges,
                              worker_.loop.now_ms());
}

void KeysHandler::look_up(Purpose purpose) {
  backends::Lookup answer = store().lookup(key_.view(), purpose, *this);
  if (answer.status == backends::Lookup::Status::Pending) {
    exchange().keep_request();
    pending_ = std::move(answer.pending);
    return;
  }
  on_lookup(std::move(answer.entry));
}

void KeysHandler::on_lookup(backends::EntryRef entry) {
  pending_ = nullptr;
  const std::uint64_t position = worker_.tables.purges.position();
  const auto age = entry ? usable(entry->meta(), entry->tags()) : std::nullopt;
  if (!age) return missed();
  entry->checked_up_to(position);  // the next one who reads it has nothing to ask
  found(entry, *age);
}

void KeysHandler::found(const backends::EntryRef& entry, const values::ValueAge& age) {
  if (call_.kind == Kind::Clear) return clear_one(true);
  if (call_.kind == Kind::GetOrSet) exchange().drop_body();
  end_turn();
  send_value(entry, age);
}

void KeysHandler::missed() {
  switch (call_.kind) {
    case Kind::Clear:
      return clear_one(false);
    case Kind::GetOrLease:
      if (!mine_) return ticket_ ? wait_on() : stand_in_line();
      return is_shared() ? ask_fleet() : give(*mine_);
    case Kind::GetOrSet:
      if (!is_whole_) return read_body();
      return mine_ ? store_value(leases_.lock_for_set(lease_name())) : stand_in_line();
    default:
      return answer_absent();
  }
}

void KeysHandler::answer_absent() {
  send(error_reply(404, "key", "is not here"));
}

void KeysHandler::send_value(const backends::EntryRef& entry, const values::ValueAge& age) {
  lines_ = fmt::format("Date: {}\r\nCache-Control: max-age={}\r\n{}",
                       http::format_date(worker_.loop.clock().wall_s()), age.ttl_s, kHarmless);
  exchange().send_entry(entry, {.age_s = age.age_s, .cache_status = {}, .lines = lines_});
}

// Answered once it is gone for all who share the store.
void KeysHandler::clear_one(bool is_there) {
  backends::EraseResult result{};
  const std::uint64_t before = store().erasures();
  {
    const auto lock = leases_.lock_for_set(lease_name());
    result = store().erase(key_.view());
    leases_.set(lease_name());  // what is being computed is older
  }
  if (result == backends::EraseResult::Failed) return cannot_clear();
  const auto answer = [this, is_there](bool is_gone) {
    pending_ = nullptr;
    if (!is_gone) return cannot_clear();
    send({.body = text_of({{"cleared", is_there ? 1 : 0}})});
  };
  pending_ = store().when_erased(before, answer);
  if (!pending_) answer(true);
}

// What was to go may still be there.
void KeysHandler::cannot_clear() {
  fault(
      {.status = 503, .field = "", .message = "the backend cannot erase it now: it may be there"});
}

// ---- leases, and the turn to set what is not there ----

std::string KeysHandler::lease_name() const {
  return fmt::format("{}{}{}", backend_name(), '\0', call_.name);
}

// Of those who POST a value at the same time one stores, and the others find that: they stand in a
// line of their own, and need no lease.
std::string KeysHandler::line_name() const {
  if (call_.kind != Kind::GetOrSet) return lease_name();
  return fmt::format("{}{}{}", backend_name(), '\1', call_.name);
}

void KeysHandler::stand_in_line() {
  const std::int64_t now_ms = worker_.loop.now_ms();
  const bool may_wait = now_ms < wait_until_ms_;
  const std::uint64_t position = worker_.tables.purges.position();
  values::LeaseTable::Asked asked = leases_.ask(line_name(), {.lease_ms = call_.lease_ms,
                                                              .now_ms = now_ms,
                                                              .seq = position,
                                                              .may_wait = may_wait,
                                                              .door = door(),
                                                              .who = lease_life_.watch()});
  if (asked.lease) return lease_is_mine(*asked.lease);
  if (asked.ticket) {
    ticket_ = std::move(asked.ticket);
    return wait_on();
  }
  if (call_.kind == Kind::GetOrSet) return refuse_set(cannot_store());
  if (!may_wait || asked.nobody_waits) return answer_absent();
  send(error_reply(503, "lease",
                   fmt::format("more than {} callers wait for leases, or more than {} hold one",
                               values::LeaseTable::kMostWaiters, values::LeaseTable::kMostLeases)));
}

// Whoever was before may have stored it since we looked, and ended his turn with that.
void KeysHandler::lease_is_mine(const values::Lease& lease) {
  mine_ = lease;
  if (!store().may_have(key_.view())) return missed();
  look_up(Purpose::Probe);
}

// The value is there.
void KeysHandler::end_turn() {
  ticket_ = nullptr;
  wait_timer_.stop();
  look_timer_.stop();
  if (mine_) leases_.set(line_name());
  mine_.reset();
}

void KeysHandler::give(const values::Lease& lease) {
  Reply reply = error_reply(404, "key", "is not here: compute it, and PUT it with this lease");
  reply.fields.emplace_back("Weir-Lease", lease.token);
  // The fleet's lease lies in the store: the next one of this instance waits for that.
  if (is_shared()) leases_.fail(line_name(), lease.token, worker_.loop.now_ms());
  mine_.reset();
  send(std::move(reply));
}

void KeysHandler::wait_on() {
  const std::int64_t soon_ms = worker_.loop.now_ms() + 1;
  wait_timer_.start_at(std::min(wait_until_ms_, std::max(ticket_->until_ms(), soon_ms)));
  const bool looks = is_shared() && call_.kind == Kind::GetOrLease && !pending_;
  if (looks && !look_timer_.active()) look_timer_.start(kLookWhileWaiting_ms);
}

// He has waited long enough, or whoever computes it has had his time.
void KeysHandler::waited() {
  const std::int64_t now_ms = worker_.loop.now_ms();
  if (now_ms >= wait_until_ms_) {
    ticket_ = nullptr;
    look_timer_.stop();
    pending_ = nullptr;
    return call_.kind == Kind::GetOrSet ? refuse_set(cannot_store()) : answer_absent();
  }
  leases_.expire(line_name(), now_ms);
  wait_on();
}

void KeysHandler::lease_news() {
  if (!ticket_) return;
  values::Lease lease;
  const values::LeaseTicket::News news = ticket_->take(lease);
  if (news == values::LeaseTicket::News::None) return;
  ticket_ = nullptr;
  wait_timer_.stop();
  look_timer_.stop();
  pending_ = nullptr;
  const bool looks_first = call_.kind == Kind::GetOrSet || is_shared();
  if (news == values::LeaseTicket::News::Yours && looks_first) return lease_is_mine(lease);
  if (news == values::LeaseTicket::News::Yours) return give(lease);
  look_up(Purpose::Serve);
}

void KeysHandler::end_lease() {
  if (is_shared()) return end_fleet_lease();
  if (leases_.fail(lease_name(), *call_.token, worker_.loop.now_ms())) return send({.status = 204});
  lease_is_gone();
}

void KeysHandler::lease_is_gone() {
  fault({.status = 409,
         .field = "lease",
         .message = "is not held: its time is over, or the key was set or cleared"});
}

}  // namespace weir::admin
