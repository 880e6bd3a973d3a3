// The half of a transaction that has to do with flights: what it does when one has news, and for
// how long it waits.
#include <utility>

#include "cachekeys/key_builder.h"
#include "proxy/flow/purge_judge.h"
#include "proxy/flow/transaction.h"

namespace weir::flow {

using policy::Reason;

Transaction::Step Transaction::on_flight() {
  if (now_.reader->missed_bytes()) return leave_for(Step::LookUp);
  const Flight::State state = now_.reader->look();
  if (state.phase == Flight::Phase::Waiting) {
    if (!now_.reader->flight()->app_failed()) return Step::AwaitFlight;
    if (may_serve_stale(true)) return serve_stale(Reason::StaleIfError, 0);
    back_to_own();  // if it was that one which failed
    return Step::AwaitFlight;
  }
  if (state.phase == Flight::Phase::Broken && back_to_own()) return Step::AwaitFlight;
  if (state.phase == Flight::Phase::Failed) return fail(state.error_status, state.error);
  if (state.phase == Flight::Phase::Found) return on_found(state);
  now_.outcome.collapsed = !now_.reader->is_its_own(state);
  if (state.release != Flight::Release::None) return on_released(state);
  return on_head(state);
}

// What the flight brings is not this request's answer. True: that is what its own fetch brings, for
// it had one begun that goes on for it alone.
bool Transaction::back_to_own() {
  if (!now_.reader->return_to_own(waker())) return false;
  now_.outcome.collapsed = false;
  return true;
}

// To its own fetch, or where there is none, to this step.
Transaction::Step Transaction::leave_for(Step next) {
  if (back_to_own()) return Step::AwaitFlight;
  now_.outcome.collapsed = false;
  leave_flight();
  return next;
}

// A store had what was looked for. It is this request's if it is of the same variant; whether it
// may be used is judged as if it had been found in memory.
Transaction::Step Transaction::on_found(const Flight::State& state) {
  now_.outcome.collapsed = false;
  if (!state.vary.empty()) {
    keys::build_variant_key(base_key_.view(), state.vary, request(), route().recipe,
                            request().authority, variant_key_);
    now_.has_variant = true;
    // Another's variant; this request leads the look-up of its own, if it is not in memory.
    if (variant_key_.view().bytes != state.entry->key().bytes) return leave_for(Step::LookUp);
  }
  if (!suffices(*state.entry) && back_to_own()) return Step::AwaitFlight;
  leave_flight();
  now_.entry = state.entry;
  return Step::Judge;
}

// Whether it answers this request at once.
bool Transaction::suffices(const backends::Entry& entry) const {
  const auto meta = usable_meta(entry, context_.tables.purges);
  if (!meta || !is_fit(entry.content_encoding(), *meta)) return false;
  const policy::Reuse reuse = judge_reuse(*meta, directives()).reuse;
  return reuse == policy::Reuse::Fresh || reuse == policy::Reuse::StaleWhileRevalidate;
}

// Whether the flight's answer is this request's as well: with a Vary, only if it asks for the same
// variant; and if it is of use to a request that shows as much.
bool Transaction::is_for_me(const FlightHead& head) {
  if (!is_fit(head.response.fields.value(http::FieldId::ContentEncoding), head.meta)) return false;
  if (head.vary.empty()) return true;
  keys::build_variant_key(base_key_.view(), head.vary, request(), route().recipe,
                          request().authority, variant_key_);
  return variant_key_.view().bytes == head.variant_key;
}

// Whoever comes when the answer has been arriving for long is judged as if it came from a store:
// by its age, and by the client's own directives.
policy::ReuseVerdict Transaction::judge_shared(const FlightHead& head) const {
  if (!now_.reader->came_late()) return {policy::Reuse::Fresh, {}, {}};
  return judge_reuse(head.meta, directives());
}

// What its tags are is known by its head alone: it may have been purged by one of them before this
// request came.
bool Transaction::is_purged_by_tag(const FlightHead& head) const {
  const PurgeBook& purges = context_.tables.purges;
  if (head.tags.empty() || head.meta.seq == purges.position()) return false;
  return purges.check(head.meta.seq, {}, head.tags) != PurgeVerdict::Alive;
}

Transaction::Step Transaction::on_head(const Flight::State& state) {
  const FlightHead& head = *state.head;
  if (!now_.reader->is_its_own(state) && is_purged_by_tag(head)) {
    context_.tables.flights.remove(lookup_key(), now_.reader->flight());
    return leave_for(Step::LookUp);
  }
  if (const policy::ReuseVerdict shared = judge_shared(head);
      shared.reuse != policy::Reuse::Fresh) {
    // Too old for this client alone, or for everybody: then it leaves its name to the next.
    const bool for_all = shared.reason != Reason::ClientNoCache;
    if (for_all) context_.tables.flights.remove(lookup_key(), now_.reader->flight());
    return leave_for(for_all ? Step::LookUp : Step::Pass);
  }
  if (!now_.reader->is_its_own(state) && !is_for_me(head)) {
    return look_elsewhere(head);
  }
  if (head.response.status >= 500 && may_serve_stale(true)) {
    return serve_stale(Reason::StaleIfError, head.response.status);
  }
  return serve_flight(state);
}

// Another variant's: the marker is in place by now, and leads to this request's. One that is for
// requests that show less leaves its name to this one, whose answer may be for both; but once only.
Transaction::Step Transaction::look_elsewhere(const FlightHead& head) {
  if (back_to_own()) return Step::AwaitFlight;
  const bool readable = client_accepts(head.response.fields.value(http::FieldId::ContentEncoding));
  const bool shows_more = !policy::serves(head.meta, request(), route().recipe);
  const bool alone = !readable || (shows_more && std::exchange(now_.led_apart, true));
  if (shows_more && !alone) {
    const keys::KeyView name = head.vary.empty()
                                   ? lookup_key()
                                   : keys::KeyView{head.variant_key, hash128(head.variant_key)};
    context_.tables.flights.remove(name, now_.reader->flight());
  }
  return leave_for(alone ? Step::Pass : Step::LookUp);
}

Transaction::Step Transaction::on_released(const Flight::State& state) {
  using Release = Flight::Release;
  if (state.release == Release::AppError) return on_app_error(state);
  if (now_.reader->is_its_own(state) && state.head) return serve_flight(state);
  const bool ask_again = state.release == Release::AskAgain;
  // Its own answer may have to be discarded as well where something was withheld from it too.
  if (ask_again && now_.withheld) now_.reader->give_up_own();
  if (leave_for(Step::Pass) == Step::AwaitFlight) return Step::AwaitFlight;
  if (state.release == Release::LookAgain) return Step::LookUp;
  now_.as_it_came = ask_again;
  if (auto memory = context_.tables.uncacheable.recall(base_key_.view(), context_.loop.now_ms())) {
    now_.remembered = std::move(*memory);
  } else if (now_.as_it_came) {
    now_.remembered = {Reason::Cookie, {}};  // the memory is bounded, and this one was crowded out
  }
  return Step::Pass;
}

// One of those who waited asks again, and the others follow. What that brings is for all, or each
// would wait for every one before it: the app's own error if nothing in it is for one visitor
// alone, else its status.
Transaction::Step Transaction::on_app_error(const Flight::State& state) {
  const FlightHead& head = *state.head;
  const int status = head.response.status;
  if (may_serve_stale(true)) return serve_stale(Reason::StaleIfError, status);
  if (now_.reader->is_its_own(state)) return serve_flight(state);
  if (back_to_own()) return Step::AwaitFlight;
  if (!head.again && !std::exchange(now_.app_failed, true)) {
    now_.outcome.collapsed = false;
    now_.failed = now_.reader->flight();
    leave_flight();
    return Step::LookUp;
  }
  if (head.error_is_for_all && is_for_me(head)) return serve_flight(state);
  leave_flight();
  return refuse(status, head.refusal);
}

// No answer of the app's will come.
Transaction::Step Transaction::fail(int status, policy::Refusal why) {
  if (why.reason == Reason::OnlyIfCached) return refuse_only_if_cached();
  if (status >= 500 && may_serve_stale(true)) return serve_stale(Reason::StaleIfError, status);
  if (status != 504 && back_to_own()) return Step::AwaitFlight;
  now_.reader->give_up_own();
  return refuse(status, std::move(why));
}

// ---- waiting ----

void Transaction::start_timers() {
  if (!now_.reader->leads()) wait_timer_.start(now_.site->site->config->limits.coalesce_wait_ms);
  if (now_.reuse.reuse == policy::Reuse::StaleIfError && route().rule->stale_after_ms &&
      !stale_timer_.active()) {
    stale_timer_.start(*route().rule->stale_after_ms);
  }
}

// limits.coalesce_wait is over and the flight still has no head.
void Transaction::waited_enough() {
  if (step_ != Step::AwaitFlight) return;
  if (now_.reader->look().phase != Flight::Phase::Waiting) return;
  if (!may_serve_stale(false)) return start_second();
  now_.outcome.collapsed = false;
  run(serve_stale(Reason::StaleSlow, 0));
}

// stale_after is over: the copy goes out, and the fetch goes on for those who come later.
void Transaction::app_is_slow() {
  if (step_ != Step::AwaitFlight || !may_serve_stale(false)) return;
  now_.reader->flight()->keep_on();
  run(serve_stale(Reason::StaleSlow, 0));
}

}  // namespace weir::flow
