// The machine behind a flight: looks into the slower tiers, asks the app where they have nothing of
// use, judges the answer when its head arrives, lets readers in or sends them away, and stores
// what is whole. Each step names the next; the waits are named too, and say what ends them.
//
// Owns the fetch, the room reserved in the stores, and the flight's place in the table. It does not
// own the flight, which lives on with its readers, nor any client. Lives on one loop, in that
// worker's Fills, which it leaves when it is done.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/net/timer.h"
#include "proxy/flow/fill_order.h"
#include "proxy/flow/flight.h"
#include "proxy/policy/freshness.h"
#include "proxy/policy/storable.h"

namespace weir::flow {

class Fill;

// A worker's fills in progress, and what they need of the worker.
class Fills {
 public:
  Fills(EventLoop& loop, SharedTables& tables) : loop_(loop), tables_(tables) {}
  ~Fills();

  // Flies `flight`. Its readers hear of it later, never within this call.
  void start(Ref<Flight> flight, FillOrder&& order);
  // Breaks off all that are in progress.
  void stop();
  std::size_t size() const { return fills_.size(); }

  // ---- for the fills ----
  void remove(Fill& fill);
  EventLoop& loop() { return loop_; }
  SharedTables& tables() { return tables_; }

 private:
  EventLoop& loop_;
  SharedTables& tables_;
  std::unordered_map<Fill*, std::unique_ptr<Fill>> fills_;
};

class Fill final : public upstream::FetchSink,
                   public backends::LookupWaiter,
                   public backends::StoreWaiter,
                   public backends::ClaimWaiter,
                   public Wakeable {
 public:
  Fill(Fills& fills, Ref<Flight> flight, FillOrder&& order);
  ~Fill() override;

  void start();

  // ---- LookupWaiter, ClaimWaiter, StoreWaiter: the stores answer later ----
  void on_lookup(backends::EntryRef entry) override;
  void on_claimed(backends::Claimed claimed) override;
  void on_stored(backends::StoreResult result) override;

  // ---- FetchSink ----
  void on_informational(http::ResponseHead&& head) override;
  void on_head(http::ResponseHead&& head) override;
  void on_body(std::string_view bytes) override;
  void on_end(upstream::FetchEnd&& end) override;

  // ---- Wakeable: a reader made room, or the last one left ----
  void wake() override;

 private:
  enum class Step : std::uint8_t {
    LookUp,  // has a store the answer?
    Claim,   // is it this instance that asks the app?
    Ask,     // have it fetched
    Commit,  // store what has arrived
    // Waits.
    AwaitLookUp,  // until a slower tier has answered
    AwaitClaim,   // the same
    AwaitTurn,    // another instance asks the app: until it may have stored the answer
    AwaitHead,    // until the app answers, or the fetch ends
    AwaitBody,    // until the answer's end; paused while a window is full
    AwaitCommit,  // until the stores have reported
    Done,         // it leaves
  };

  void run(Step step);  // may destroy this: the last call of whoever makes it
  Step lose();
  bool win();
  bool answers(bool failed);
  bool take_own_flight();
  Step look_up();
  bool is_enough(const backends::Entry& entry) override;
  Step found(backends::EntryRef entry);
  Step not_found();
  Step claim();
  Step claimed(backends::Claimed claimed);
  Step look_again();
  void settle_claim(bool is_refused);
  Step ask();
  Step commit();
  Step committed(backends::StoreResult result);

  // the answer's head (fill_head.cc)
  Step head_arrived(http::ResponseHead&& head);
  void invalidate(const http::ResponseHead& head) const;
  policy::StoreVerdict judge(const http::ResponseHead& head, http::Method method) const;
  void review_memory(const http::ResponseHead& head);
  void review_memory_at_end(bool whole);
  bool discard_for_cookies(const http::ResponseHead& head);
  void admit(const http::ResponseHead& head);
  void drop_older(const http::ResponseHead& head);
  void erase_older(const policy::Refusal& why);
  void outdate_older() const;
  void admit_inflow(std::optional<std::uint64_t> length);
  std::shared_ptr<FlightHead> make_head(http::ResponseHead&& head);
  void choose_variant(FlightHead& head);
  std::vector<std::string> variant_fields(std::string_view coding);
  void name_answer(const std::vector<std::string>& vary);
  bool is_of_use(const backends::Entry& entry) const;
  std::int64_t ttl_s(const backends::EntryMeta& meta) const;
  std::int64_t useful_s(const backends::EntryMeta& meta) const;
  void publish(std::shared_ptr<FlightHead> head);

  // its body and its end
  Step body_arrived(std::string_view bytes);
  Step ended(upstream::FetchEnd&& end);
  policy::Refusal outgrown_by(std::size_t bytes);
  bool superseded() const;
  backends::EntryParts make_parts();
  void take_inflow(std::unique_ptr<backends::Inflow> flow);
  bool flow_from_now_on();
  void give_up_flow();

  // who still wants it
  bool wanted() const;
  bool must_pause();
  void resume_if_wanted();
  Step give_up_if_unread();
  void bound_unread_life(std::int64_t at_most_ms);
  void look_at_unread_life();

  void leave_table();
  void remember(const policy::Refusal& refusal);
  void note_reader_left_behind();
  void note_failed_refresh();
  bool is_usable(const backends::Entry& entry) const;
  policy::Reuse reuse_of(const backends::Entry& entry) const;
  EventLoop& loop() const { return fills_.loop(); }
  SharedTables& tables() const { return fills_.tables(); }
  upstream::Fetcher& fetcher() const { return *order_.site->fetcher; }
  backends::Store& store() const { return order_.site->store_of(*order_.route); }
  const conf::CacheRule& rule() const { return *order_.route->rule; }
  const keys::Recipe& recipe() const { return order_.route->recipe; }
  const conf::Config& config() const { return *order_.site->site->config; }

  Fills& fills_;
  Ref<Flight> flight_;  // another from when the other runner has won, or this one has failed
  FillOrder order_;
  Life<Wakeable> life_{*this};
  Step step_ = Step::LookUp;
  bool in_table_;
  bool lost_ = false;   // to the flight's other runner
  bool alone_ = false;  // it has lost, or failed, and goes on for the one who leads it

  backends::EntryRef marker_;                         // that was found,
  OwnedKey variant_key_;                              // and the variant that it led to
  std::unique_ptr<backends::PendingAnswer> pending_;  // of a store

  // With `coalesce: fleet`. Held until the answer is stored.
  std::unique_ptr<backends::Claim> claim_;
  bool is_alone_ = false;  // no other instance is waited for, or not any more
  std::int64_t turn_by_ms_ = 0;
  std::unique_ptr<Timer> turn_timer_;

  std::unique_ptr<upstream::Fetch> fetch_;
  bool paused_ = false;

  policy::StoreVerdict verdict_;
  std::vector<std::uint64_t> tags_;  // until the head has them
  std::shared_ptr<const FlightHead> head_;
  bool storing_ = false;  // what arrives is to be stored
  bool left_one_behind_ = false;
  bool measured_ = false;  // remembered as too large, and of unknown length: its end will tell
  std::unique_ptr<backends::Reservation> reservation_;
  std::unique_ptr<backends::Inflow> inflow_;  // what is stored while it arrives
  OwnedKey store_key_;
  backends::EntryRef entry_;  // what was made of it

  std::unique_ptr<Timer> unread_timer_;  // set when the last reader has left
  std::int64_t unread_until_ms_ = 0;
};

}  // namespace weir::flow
