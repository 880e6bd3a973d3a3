// One request's way through Weir, as a machine of small steps (docs/ARCHITECTURE.md). Each step
// returns the next one, or Parked when it waits: for a flight, for its turn in a convoy, for a
// timer. Callbacks hold no logic: they resume the machine. Pooled; one loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/net/timer.h"
#include "cachekeys/key.h"
#include "proxy/flow/fetch_driver.h"
#include "proxy/flow/flight.h"
#include "proxy/flow/site.h"
#include "proxy/front/exchange.h"
#include "proxy/front/h1_output.h"
#include "proxy/policy/cache_status.h"
#include "proxy/policy/freshness.h"
#include "proxy/policy/request_policy.h"

namespace weir::flow {

// What a transaction needs of its worker.
struct WorkerContext {
  EventLoop& loop;
  Shared& shared;
  Drivers& drivers;
  std::shared_ptr<const LoopSite> site;  // replaced by a reload
};

class Transaction final : public front::Handler, public Wakeable {
 public:
  explicit Transaction(WorkerContext& context) : context_(context) {}
  ~Transaction() override;

  // ---- front::Handler ----
  void start(front::Exchange& exchange) override;
  void request_body_ready() override;
  void finished() override;

  // ---- Wakeable: the flight, or the convoy, has news ----
  void wake() override;

 private:
  enum class Step : std::uint8_t {
    Route,     // which rule?
    Key,       // what is this request called, and is it personal?
    Lookup,    // is there an entry of that name?
    Judge,     // may it be used?
    ServeHit,  // send it
    Join,      // lead or follow a flight
    Fetch,     // as the leader: start it
    Pass,      // a fetch for this request alone
    Convoy,    // wait for a turn to go to the app alone
    Answer,    // an OPTIONS that ends here
    Parked,
    Finish,
  };
  // How the request is sent to the app (cachekeys/sent_request.h).
  enum class Form : std::uint8_t { Shared, Personal, Verbatim };

  void run(Step step);
  Step route();
  Step key();
  Step lookup();
  Step judge();
  Step join();
  Step fetch();
  Step pass();
  Step convoy();

  // answers of its own (transaction_answer.cc)
  Step serve_hit();
  Step serve_stale(policy::Reason reason, int app_status);
  Step answer_options();
  Step send_stored();
  std::string restored_location(std::string_view location);
  void note_outcome();

  // flight news (transaction_flight.cc)
  Step on_flight();
  Step on_head(const Flight::State& state);
  Step on_released(const Flight::State& state);
  Step fail(int status, policy::Reason reason);
  Step take_turn();
  bool is_for_me(const FlightHead& head);
  void send_flight(const FlightHead& head);
  Step leave_for_convoy();
  void start_timers();
  void waited_enough();
  void app_is_slow();

  FetchPlan make_plan(Form form);
  void launch(Form form, bool shared);
  void refresh_behind();
  backends::EntryRef find_entry(backends::Purpose purpose);
  backends::Store& store() const { return site_->store_of(*route_); }
  bool client_accepts(const http::HeaderBlock& fields) const;
  keys::KeyView lookup_key() const { return has_variant_ ? variant_key_.view() : base_key_.view(); }
  Ref<WakeSlot>& slot();
  void drop_slot();
  void leave_flight();
  void leave_convoy();
  const http::RequestHead& request() const { return exchange_->request(); }

  WorkerContext& context_;
  front::Exchange* exchange_ = nullptr;

  // Of the request in hand; reset by finished().
  std::shared_ptr<const LoopSite> site_;
  const RouteRuntime* route_ = nullptr;
  policy::RequestClass class_ = policy::RequestClass::Shared;
  policy::Refusal refusal_;     // of Personal and Bypass: what made it so
  policy::Refusal remembered_;  // the key is known not to be cacheable, and why
  keys::KeyBuffer base_key_;
  keys::KeyBuffer variant_key_;
  bool has_variant_ = false;  // variant_key_ is this request's name
  backends::EntryRef entry_;
  policy::ReuseVerdict reuse_;   // of entry_
  bool stale_if_error_ = false;  // entry_ may be served if the app fails
  bool stale_if_slow_ = false;   // and if it is slow
  front::EntryBody entry_body_;  // of a redirect that is made for this client
  std::optional<FlightReader> reader_;
  Ref<Convoy> convoy_;
  Ref<WakeSlot> convoy_slot_;
  bool convoy_turn_ = false;  // holds a place in the convoy
  bool alone_ = false;        // joins no flight any more
  Ref<ClientPipe> pipe_;
  policy::CacheOutcome outcome_;
  std::string status_;     // reused buffer
  bool answered_ = false;  // a response was begun

  Ref<WakeSlot> slot_;
  std::unique_ptr<Timer> wait_timer_;   // limits.coalesce_wait
  std::unique_ptr<Timer> stale_timer_;  // stale_after
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
