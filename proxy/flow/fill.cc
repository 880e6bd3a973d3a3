#include "proxy/flow/fill.h"

#include <utility>

#include "base/check.h"
#include "base/http/cache_control.h"
#include "base/http/h1_writer.h"
#include "cachekeys/key_builder.h"
#include "cachekeys/normalize.h"
#include "proxy/flow/purge_judge.h"
#include "proxy/policy/freshness.h"
#include "proxy/policy/unsaid.h"

namespace weir::flow {
namespace {

using backends::Purpose;
using backends::StoreResult;
using policy::Reason;
using upstream::FetchResult;

int error_status(FetchResult result) {
  if (result == FetchResult::Timeout) return 504;
  return result == FetchResult::BodyFailed ? 400 : 502;
}

Reason error_reason(FetchResult result) {
  if (result == FetchResult::Timeout) return Reason::UpstreamTimeout;
  return result == FetchResult::BodyFailed ? Reason::Body : Reason::UpstreamError;
}

}  // namespace

// ---- Fills ----

Fills::~Fills() = default;

void Fills::start(Ref<Flight> flight, FillOrder&& order) {
  loop_.check_in_loop();
  auto fill = std::make_unique<Fill>(*this, std::move(flight), std::move(order));
  Fill* const raw = fill.get();
  fills_.emplace(raw, std::move(fill));
  raw->start();
}

void Fills::stop() {
  fills_.clear();
}

void Fills::remove(Fill& fill) {
  WEIR_CHECK(fills_.erase(&fill) == 1);
}

// ---- Fill ----

Fill::Fill(Fills& fills, Ref<Flight> flight, FillOrder&& order)
    : fills_(fills),
      flight_(std::move(flight)),
      order_(std::move(order)),
      in_table_(order_.joinable) {}

Fill::~Fill() {
  if (order_.pipe) order_.pipe->fetch_ended();
  if (lost_ || flight_->leave_race(order_.runner)) return;
  leave_table();
  flight_->abandon();
}

void Fill::start() {
  flight_->enter_race(order_.runner, {loop(), life_.watch()});
  if (order_.refresh) flight_->tell_of_reader();
  // Who leads a flight that nobody joins has just looked into memory.
  const bool looks = order_.cacheable && (order_.joinable || !store().answers_now());
  run(looks ? Step::LookUp : Step::Ask);
}

// Another runner brings the answer; the flight, and its name in the table, are that one's.
Fill::Step Fill::lose() {
  lost_ = true;
  return Step::Done;
}

// It has an answer, for whom there may be.
bool Fill::win() {
  return flight_->win(order_.runner) || (take_own_flight() && flight_->win(order_.runner));
}

// Whether what has come is the answer of those who wait. A failure is not, while the other runner
// may bring a better one: then it is for the one who leads this runner, if for anybody.
bool Fill::answers(bool failed) {
  if (failed && flight_->leave_race(order_.runner, true) && !take_own_flight()) return false;
  return win();
}

// It has lost, or has failed while the other runs. True: it goes on for the one who leads it, on a
// flight that nobody else can join. Whether he still wants it he knows himself.
bool Fill::take_own_flight() {
  Ref<Flight> own = flight_->take_apart(order_.runner);
  if (!own) return false;
  flight_ = std::move(own);
  order_.runner = Runner::First;
  order_.joinable = in_table_ = false;
  alone_ = true;
  flight_->enter_race(order_.runner, {loop(), life_.watch()});
  return true;
}

void Fill::run(Step step) {
  while (step < Step::AwaitLookUp) {
    switch (step) {
      case Step::LookUp:
        step = look_up();
        break;
      case Step::Claim:
        step = claim();
        break;
      case Step::Ask:
        step = ask();
        break;
      default:
        step = commit();
    }
  }
  step_ = step;
  if (step == Step::Done) fills_.remove(*this);
}

// ---- the stores ----

// The flight of a moment ago may have landed since its leader looked, and slower tiers have not
// been asked at all.
Fill::Step Fill::look_up() {
  const OwnedKey& name = variant_key_.bytes.empty() ? order_.table_key : variant_key_;
  backends::Lookup answer = store().lookup(name.view(), order_.look_up, *this);
  if (answer.status == backends::Lookup::Status::Pending) {
    pending_ = std::move(answer.pending);
    return Step::AwaitLookUp;
  }
  return found(std::move(answer.entry));
}

void Fill::on_lookup(backends::EntryRef entry) {
  WEIR_CHECK(step_ == Step::AwaitLookUp);
  pending_ = nullptr;
  run(found(std::move(entry)));
}

Fill::Step Fill::found(backends::EntryRef entry) {
  if (!entry) return not_found();
  if (entry->kind() == backends::Entry::Kind::VaryMarker) {
    const bool is_page = order_.table_key.bytes == order_.base_key.bytes;
    if (!is_page || !variant_key_.bytes.empty()) return not_found();  // variants have none
    marker_ = std::move(entry);
    keys::KeyBuffer variant;
    keys::build_variant_key(order_.base_key.view(), marker_->vary().to_vector(),
                            order_.client.get(), order_.route->recipe, order_.authority, variant);
    variant_key_ = OwnedKey(variant.view());
    return Step::LookUp;
  }
  if (!is_usable(*entry)) return not_found();
  if (!win()) return lose();
  leave_table();
  flight_->land(std::move(entry),
                marker_ ? marker_->vary().to_vector() : std::vector<std::string>());
  return Step::Done;
}

// Whether it may answer the request that leads: at once, or, where that has no copy yet, at least
// if the app fails. Readers judge it once more, each for itself.
bool Fill::is_usable(const backends::Entry& entry) const {
  const policy::Reuse reuse = reuse_of(entry);
  if (order_.has_copy) return reuse == policy::Reuse::Fresh;
  return reuse != policy::Reuse::Refetch && reuse != policy::Reuse::Unusable;
}

// Other instances may have fetched it anew.
bool Fill::is_enough(const backends::Entry& entry) {
  return entry.kind() == backends::Entry::Kind::VaryMarker ||
         reuse_of(entry) == policy::Reuse::Fresh;
}

policy::Reuse Fill::reuse_of(const backends::Entry& entry) const {
  const http::RequestHead& client = order_.client.get();
  const std::string_view coding = entry.content_encoding();
  if (!coding.empty() && !keys::accepts_encoding(client, coding)) return policy::Reuse::Unusable;
  const auto meta = usable_meta(entry, tables().purges);
  if (!meta || !policy::serves(*meta, client, recipe())) return policy::Reuse::Unusable;
  return policy::judge_reuse(*meta, rule(), order_.route->backend->default_expire_s(),
                             order_.request_class, http::parse_request_cache_control(client),
                             loop().now_ms())
      .reuse;
}

// The last bytes are shown when the object is in the store, so that whoever has seen its end will
// be served from there. Where the store needs time for it, readers have the end at once, and the
// flight stays joinable until the store has reported.
Fill::Step Fill::commit() {
  if (superseded()) {
    reservation_ = nullptr;
    inflow_ = nullptr;
    flight_->end(true);
    return Step::Done;
  }
  backends::EntryParts parts = make_parts();
  backends::Storing answer;
  if (inflow_) {
    answer = inflow_->commit(std::move(parts), *this);
  } else {
    parts.body = flight_->take_body();
    entry_ = backends::make_entry(std::move(parts));
    entry_->touch(loop().now_ms());
    answer = store().store(entry_, std::move(reservation_), {useful_s(entry_->meta())}, *this);
  }
  if (answer.result) return committed(*answer.result);
  pending_ = std::move(answer.pending);
  flight_->end(true);
  return Step::AwaitCommit;
}

void Fill::on_stored(StoreResult result) {
  WEIR_CHECK(step_ == Step::AwaitCommit);
  pending_ = nullptr;
  run(committed(result));
}

Fill::Step Fill::committed(StoreResult result) {
  leave_table();
  if (result == StoreResult::Stored) {
    if (inflow_) entry_ = inflow_->entry();
    flight_->land(std::move(entry_), {});
    return Step::Done;
  }
  // The next request for it is told so, and finds it out without holding it in memory first.
  const char* const why = result == StoreResult::TooLarge ? "max_object_size" : "no room";
  if (result != StoreResult::Failed) remember({Reason::TooLarge, why});
  store().erase(store_key_.view());  // what is older
  tables().store_failures.say(order_.route->backend->name(), loop().now_ms());
  note_failed_refresh();
  flight_->end(true);
  return Step::Done;
}

// This one has no name, or has lost it: its answer was too old, or from before a purge, before it
// was whole; or it is a variant that was on its way already. What another flight brings, or has
// brought since, must stay.
bool Fill::superseded() const {
  if (flight_->outdated()) return true;
  const PurgeVerdict purged =
      purge_verdict(tables().purges, flight_->seq(), store_key_.bytes, head_->tags);
  if (purged == PurgeVerdict::Dead) return true;
  if (order_.joinable) {
    const Ref<Flight> named = tables().flights.find(order_.table_key.view());
    if (named) return named != flight_;
  }
  const backends::EntryRef stored = store().lookup_now(store_key_.view(), Purpose::Probe);
  return stored && stored->meta().response_ms > verdict_.meta.response_ms;
}

// The entry that is to be stored, but for its body.
backends::EntryParts Fill::make_parts() {
  if (!head_->vary.empty()) {
    // Once more: the marker may have been lost since the head, or this variant dropped from it as
    // one that the store does not have.
    tables().variants.admit(store(), order_.base_key.view(), marker_, head_->vary, store_key_.bytes,
                            rule().max_variants);
  }
  const http::ResponseHead& head = head_->response;
  backends::EntryParts parts;
  parts.key = store_key_.bytes;
  parts.hash = store_key_.hash;
  parts.meta = verdict_.meta;
  parts.fields = head.fields;
  parts.tags = head_->tags;
  http::append_status_line(parts.status_line, head.status, head.reason);
  if (head.status != 204) {
    parts.fields.add(http::FieldId::ContentLength, std::to_string(flight_->appended()));
  }
  return parts;
}

// ---- the fetch ----

Fill::Step Fill::ask() {
  if (order_.only_stored) {
    flight_->fail(504, {Reason::OnlyIfCached, {}});
    return Step::Done;
  }
  upstream::FetchRequest& request = order_.request;
  request.body = request.framing == http::Framing::None ? nullptr : order_.pipe.get();
  request.refresh = order_.refresh && flight_->reader_count() == 0;
  fetch_ = fetcher().start(std::move(request), *this);
  if (order_.pipe) order_.pipe->set_fetch(*fetch_);
  const conf::Upstream& app = config().upstream;
  bound_unread_life(app.first_byte_timeout_ms + app.idle_timeout_ms);
  return Step::AwaitHead;
}

void Fill::on_body(std::string_view bytes) {
  run(body_arrived(bytes));
}

Fill::Step Fill::body_arrived(std::string_view bytes) {
  WEIR_CHECK(step_ == Step::AwaitBody);
  const policy::Refusal outgrown = storing_ ? outgrown_by(bytes.size()) : policy::Refusal{};
  if (outgrown) {
    storing_ = false;
    reservation_ = nullptr;
    leave_table();
    remember(outgrown);
    erase_older(outgrown);
  }
  const http::ResponseHead& head = head_->response;
  const bool last = storing_ && head.framing == http::Framing::Length &&
                    flight_->appended() + bytes.size() >= head.content_length;
  flight_->append(bytes, !last);
  if (inflow_ && storing_ && !inflow_->append(bytes)) give_up_flow();
  if (outgrown) {
    flight_->stop_retaining();
    if (!wanted() && give_up_if_unread() == Step::Done) return Step::Done;
  }
  note_reader_left_behind();
  if (!paused_ && must_pause()) {
    paused_ = true;
    fetch_->pause();
  }
  return Step::AwaitBody;
}

// Why what is being stored cannot grow by this. Of a known length all were asked at the head.
policy::Refusal Fill::outgrown_by(std::size_t bytes) {
  const std::uint64_t most = order_.route->backend->max_object_size();
  if (most != 0 && flight_->appended() + bytes > most) {
    return {Reason::TooLarge, "more than " + std::to_string(most)};
  }
  if (head_->response.framing == http::Framing::Length || inflow_) return {};
  const bool whole = flight_->appended() + bytes <= store().most_whole();
  if (whole && tables().budget.has_room(bytes)) return {};
  if (flow_from_now_on()) return {};
  return {Reason::TooLarge, "fill_memory", true};
}

void Fill::on_end(upstream::FetchEnd&& end) {
  run(ended(std::move(end)));
}

Fill::Step Fill::ended(upstream::FetchEnd&& end) {
  const bool whole =
      end.result == FetchResult::Complete || end.result == FetchResult::CompleteByClose;
  // A body that fails is the client's doing.
  if (!whole && end.result != FetchResult::BodyFailed) {
    tables().app_failures.say(end.message, loop().now_ms());
  }
  if (end.result == FetchResult::Complete && storing_) return Step::Commit;
  // That the app gives nothing in time is news for all who wait; another fault may be this fetch's.
  if (!head_ && !answers(end.result != FetchResult::Timeout)) return lose();
  leave_table();
  note_failed_refresh();
  note_reader_left_behind();
  review_memory_at_end(whole);
  if (head_) {
    flight_->end(whole);
  } else {
    flight_->fail(error_status(end.result), {error_reason(end.result), {}});
  }
  return Step::Done;
}

// ---- its name, and what is remembered ----

void Fill::leave_table() {
  if (!std::exchange(in_table_, false)) return;
  tables().flights.remove(order_.table_key.view(), flight_);
}

void Fill::remember(const policy::Refusal& refusal) {
  const bool has_memory = order_.cacheable || order_.remembered;
  // What is remembered is about answers to GET.
  const bool is_head = order_.client.get().method == http::Method::Head;
  if (!has_memory || is_head || refusal.momentary) return;
  tables().uncacheable.remember(order_.base_key.view(), refusal, loop().now_ms());
}

void Fill::note_failed_refresh() {
  if (!order_.refresh) return;
  tables().failed_refreshes.remember(order_.base_key.view(), {Reason::UpstreamError, {}},
                                     loop().now_ms());
}

}  // namespace weir::flow
