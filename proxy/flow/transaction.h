// One request's way through Weir, as a machine of small steps (docs/ARCHITECTURE.md). Each step
// does its work and names the next; the steps that wait are named as well, and say what ends them.
// Callbacks hold no logic: they resume the machine. Pooled; one loop.
//
// Owns what belongs to the request in hand (InHand): its plan, the entry found, its place in a
// flight, and the answer being sent. It does not own the fetch: that is the fill's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/http/cache_control.h"
#include "base/net/timer.h"
#include "cachekeys/key.h"
#include "proxy/flow/fill.h"
#include "proxy/flow/flight.h"
#include "proxy/flow/representation.h"
#include "proxy/flow/request_plan.h"
#include "proxy/flow/site.h"
#include "proxy/flow/worker_context.h"
#include "proxy/front/exchange.h"
#include "proxy/policy/cache_status.h"
#include "proxy/policy/freshness.h"
#include "proxy/policy/unsaid.h"

namespace weir::flow {

class Transaction final : public front::Handler, public Wakeable {
 public:
  explicit Transaction(WorkerContext& context);
  ~Transaction() override;

  // ---- front::Handler ----
  void start(front::Exchange& exchange) override;
  void request_body_ready() override;
  bool holds_up_others() const override { return now_.site->fetcher->crowded(); }
  void response_cut() override;
  bool waits_for_place() const override { return now_.pipe && now_.pipe->fetch_waits_for_place(); }
  void finished() override;

  // ---- Wakeable: the flight has news ----
  void wake() override;

 private:
  enum class Step : std::uint8_t {
    Plan,    // which route, what is it called, who may share it?
    LookUp,  // is there an entry of that name in memory?
    Judge,   // may it be used?
    Join,    // lead or follow a flight
    Pass,    // a fetch for this request alone
    // Waits.
    Idle,         // no request in hand: until start()
    AwaitFlight,  // until the flight has a head, an entry or an end; or a timer says enough
    Sending,      // an answer was begun: until the session has sent it, or the client is gone
  };

  // What belongs to the request in hand; assigned anew when it has ended.
  struct InHand {
    std::shared_ptr<const LoopSite> site;
    RequestPlan plan;
    policy::Refusal remembered;  // the key is known not to be cacheable, and why
    bool as_it_came = false;     // what was withheld matters: the app is sent everything
    Form sent = Form::Verbatim;  // of the fetch that it led or followed last
    bool withheld = false;       // cookies, from the fetch that it led last
    bool has_variant = false;    // variant_key_ is this request's name
    bool counted = false;        // a store has counted it as a hit or a miss
    bool unfit = false;          // there is a copy, but for requests that show less, or read more
    bool led_apart = false;      // it has taken the name of a flight that was not for it
    backends::EntryRef entry;    // a copy, in a coding that the client can read
    policy::ReuseVerdict reuse;  // of entry, when it was last judged
    bool only_stored = false;    // only-if-cached: stores are asked, the app is not
    std::unique_ptr<FlightReader> reader;
    Ref<ClientPipe> pipe;
    bool app_failed = false;  // a flight that it followed brought the app's 5xx:
    Ref<Flight> failed;       // this one, until another is found
    policy::CacheOutcome outcome;
    Representation answer;  // what is being sent
  };

  void run(Step step);
  Step take(Step step);
  Step plan();
  Step look_up();
  Step judge();
  Step join();
  FlightTable::Joined find_flight();
  Step pass();

  // answers (transaction_respond.cc)
  Step respond(Representation answer, std::int64_t age_s);
  Step serve_hit();
  Step serve_stale(policy::Reason reason, int app_status);
  Step serve_stored();
  Step serve_flight(const Flight::State& state);
  Step refuse(int status, policy::Refusal why);
  Step refuse_only_if_cached();
  Step answer_options();
  bool is_not_modified() const;
  std::string restored_location() const;
  void note_outcome();

  // flight news (transaction_flight.cc)
  Step on_flight();
  Step on_found(const Flight::State& state);
  Step on_head(const Flight::State& state);
  bool back_to_own();
  Step leave_for(Step next);
  bool suffices(const backends::Entry& entry) const;
  Step look_elsewhere(const FlightHead& head);
  Step on_released(const Flight::State& state);
  Step on_app_error(const Flight::State& state);
  Step fail(int status, policy::Refusal why);
  bool is_for_me(const FlightHead& head);
  bool is_purged_by_tag(const FlightHead& head) const;
  policy::ReuseVerdict judge_shared(const FlightHead& head) const;
  void start_timers();
  void waited_enough();
  void app_is_slow();

  // fetches (transaction_fetch.cc)
  Step lead(Ref<Flight> flight, Form form, bool joinable);
  FillOrder make_order(Form form);
  void start_second();
  void refresh_behind();

  backends::EntryRef find_entry();
  http::RequestCacheControl directives() const;
  policy::ReuseVerdict judge_reuse(const backends::EntryMeta& meta,
                                   const http::RequestCacheControl& client) const;
  bool may_serve_stale(bool app_failed);
  bool client_accepts(std::string_view coding) const;
  bool is_fit(std::string_view coding, const backends::EntryMeta& meta) const;
  keys::KeyView lookup_key() const {
    return now_.has_variant ? variant_key_.view() : base_key_.view();
  }
  // For the wait that begins now.
  Waker waker() { return {context_.loop, waits_.watch()}; }
  void leave_flight();
  const http::RequestHead& request() const { return exchange_->request(); }
  const RouteRuntime& route() const { return *now_.plan.route; }
  backends::Store& store() const { return now_.site->store_of(route()); }

  WorkerContext& context_;
  Timer wait_timer_;   // limits.coalesce_wait
  Timer stale_timer_;  // stale_after, from the first wait of a request on
  Life<Wakeable> waits_{*this};

  // Buffers that are reused from request to request.
  keys::KeyBuffer base_key_;
  keys::KeyBuffer variant_key_;
  std::string status_;

  Step step_ = Step::Idle;
  front::Exchange* exchange_ = nullptr;
  InHand now_;
};

// Hands transactions to the sessions of one worker and takes them back.
class TransactionPool final : public front::HandlerFactory {
 public:
  explicit TransactionPool(WorkerContext& context) : context_(context) {}
  front::Handler* acquire() override;
  void release(front::Handler* handler) override;

 private:
  static constexpr std::size_t kPooled = 256;
  WorkerContext& context_;
  std::vector<std::unique_ptr<Transaction>> idle_;
};

}  // namespace weir::flow
