// The low-level cache's side of an exchange: /v1/keys (proxy/values/). One loop.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/net/timer.h"
#include "proxy/admin/replying_handler.h"
#include "proxy/flow/worker_context.h"
#include "proxy/values/lease_table.h"
#include "proxy/values/value_call.h"
#include "proxy/values/value_entry.h"
#include "proxy/values/value_intake.h"
#include "proxy/values/value_walk.h"

namespace weir::admin {

class KeysHandler final : public ReplyingHandler,
                          private backends::LookupWaiter,
                          private backends::StoreWaiter,
                          private values::LeaseWaiter {
 public:
  // Both outlive it.
  KeysHandler(flow::WorkerContext& worker, values::LeaseTable& leases,
              std::shared_ptr<LoopDoor> door);
  void start(front::Exchange& exchange) override;
  void request_body_ready() override { read_body(); }
  // In a shared store from its first look on, and with a turn of its own: for another instance's
  // caller.
  bool waits_in_line() const override {
    return ticket_ != nullptr || (call_.kind == Kind::GetOrLease && site_ && is_shared());
  }
  void finished() override;

 private:
  using Kind = values::ValueCall::Kind;
  using Purpose = backends::Purpose;

  // ---- what is asked for ----
  bool choose_backend();
  void begin_call();
  void fault(const values::ValueFault& fault);

  // ---- one value (keys_handler.cc) ----
  void look_up(backends::Purpose purpose);
  void on_lookup(backends::EntryRef entry) override;
  void found(const backends::EntryRef& entry, const values::ValueAge& age);
  void missed();
  void answer_absent();
  void send_value(const backends::EntryRef& entry, const values::ValueAge& age);
  void clear_one(bool is_there);

  // ---- leases ----
  std::string line_name() const;
  void stand_in_line();
  void lease_is_mine(const values::Lease& lease);
  void give(const values::Lease& lease);
  void end_turn();
  void lease_news() override;
  void wait_on();
  void waited();
  void end_lease();
  void lease_is_gone();
  bool has_lease();

  // ---- leases of a store that other instances share (keys_handler_fleet.cc) ----
  bool is_shared() const { return store().is_shared(); }
  void ask_fleet();
  void told_by_fleet(backends::LeaseResult result);
  void look_again();
  void leave_line();
  void find_fleet_lease();
  void end_fleet_lease();

  // ---- setting (keys_handler_set.cc) ----
  void begin_set();
  void begin_body();
  void read_body();
  bool take(std::string_view bytes);
  void refuse_set(const values::ValueFault& fault);
  static values::ValueFault cannot_store();
  void body_is_whole();
  void store_value(std::unique_lock<std::mutex> lock);
  void on_stored(backends::StoreResult result) override;

  // ---- many values (keys_handler_walk.cc) ----
  void list();
  void walk_from(std::uint64_t from);
  bool list_next_backend();
  bool list_part(std::uint64_t from, backends::ListPart part);
  bool not_answered();
  void cannot_clear();
  bool go_on_clearing(std::optional<std::uint64_t> next);
  void send_list(const std::string& cursor);
  void clear_matching();
  void void_matching_leases();
  bool clear_part(const backends::ListPart& part);
  void clear_all();

  backends::Store& store() const { return site_->store_of_backend(backend_); }
  const std::string& backend_name() const { return site_->site->config->backends[backend_].name; }
  std::optional<values::ValueAge> usable(const backends::EntryMeta& meta,
                                         std::span<const std::uint64_t> tags = {}) const;
  // What leases are kept under.
  std::string lease_name() const;

  flow::WorkerContext& worker_;
  values::LeaseTable& leases_;
  std::shared_ptr<const flow::LoopSite> site_;
  values::ValueCall call_;
  std::size_t backend_ = 0;
  keys::KeyBuffer key_;
  std::string lines_;  // of the response
  std::unique_ptr<backends::PendingAnswer> pending_;

  std::unique_ptr<values::LeaseTicket> ticket_;
  Timer wait_timer_;
  Timer look_timer_;          // until it is looked whether another instance has computed it
  bool takes_place_ = false;  // what lies there was found to be of no use
  std::int64_t wait_until_ms_ = 0;
  std::optional<values::Lease> mine_;  // the lease, or the turn to set, until the client is told
  Life<values::LeaseWaiter> lease_life_{*this};

  std::string content_type_;
  std::uint64_t seq_ = 0;  // where the purge book stood when the request came, or its lease began
  std::optional<values::ValueIntake> intake_;
  bool behind_ = false;
  bool is_whole_ = false;

  struct WalkState;
  std::unique_ptr<values::ValueWalk> walk_;
  std::shared_ptr<WalkState> found_;  // by the walk so far; shared, for its type stands there
};

}  // namespace weir::admin
