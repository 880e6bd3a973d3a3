// Flies a flight: makes the fetch, judges the answer when its head arrives, lets readers in or
// sends them away, and stores what is whole. Lives on one loop, owned by that worker's Drivers,
// which it leaves when it is done.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "base/net/timer.h"
#include "proxy/flow/client_pipe.h"
#include "proxy/flow/flight.h"
#include "proxy/flow/site.h"
#include "proxy/policy/request_policy.h"
#include "proxy/policy/storable.h"

namespace weir::flow {

// A key that is kept.
struct OwnedKey {
  std::string bytes;
  Hash128 hash;

  OwnedKey() = default;
  explicit OwnedKey(keys::KeyView key) : bytes(key.bytes), hash(key.hash) {}
  keys::KeyView view() const { return {bytes, hash}; }
  bool empty() const { return bytes.empty(); }
};

// A request's head with bytes of its own, for what must outlast the client.
class OwnedHead {
 public:
  OwnedHead() = default;
  explicit OwnedHead(const http::RequestHead& head);
  OwnedHead(OwnedHead&&) = default;
  OwnedHead& operator=(OwnedHead&&) = default;
  const http::RequestHead& get() const { return head_; }

 private:
  std::vector<char> bytes_;  // not a string: the bytes of a short one would move with it
  http::RequestHead head_;
};

// Everything a fetch needs to know beside the request that is sent.
struct FetchPlan {
  std::shared_ptr<const LoopSite> site;
  const RouteRuntime* route = nullptr;  // null: no route
  upstream::FetchRequest request;
  Ref<ClientPipe> pipe;  // null for a refresh
  policy::RequestClass request_class = policy::RequestClass::Shared;
  bool may_store = true;    // false: its answer is not judged, and `refusal` says why
  policy::Refusal refusal;  // of a Personal request: what made it one
  bool shared = false;       // others may follow: it is in the flight table
  bool keep_on = false;      // goes on without readers
  OwnedKey base_key;         // may be empty when nothing is to be stored
  OwnedKey table_key;        // its name in the flight table
  OwnedHead client;          // to evaluate Vary, when something may be stored
  std::string authority;
  std::vector<std::string> removed_cookies;
};

class FetchDriver;

// A worker's fetches in progress, and what they need of the worker.
class Drivers {
 public:
  Drivers(EventLoop& loop, Shared& shared, upstream::Fetcher& fetcher)
      : loop_(loop), shared_(shared), fetcher_(fetcher) {}
  ~Drivers();

  void start(Ref<Flight> flight, FetchPlan plan);
  void remove(FetchDriver* driver);
  // Breaks off all that are in progress.
  void stop() { drivers_.clear(); }

  EventLoop& loop() { return loop_; }
  Shared& shared() { return shared_; }
  upstream::Fetcher& fetcher() { return fetcher_; }

 private:
  EventLoop& loop_;
  Shared& shared_;
  upstream::Fetcher& fetcher_;
  std::unordered_map<FetchDriver*, std::unique_ptr<FetchDriver>> drivers_;
};

class FetchDriver final : public upstream::FetchSink, public Wakeable {
 public:
  FetchDriver(Drivers& drivers, Ref<Flight> flight, FetchPlan plan);
  ~FetchDriver() override;

  void start();

  // ---- FetchSink ----
  void on_informational(http::ResponseHead&& head) override;
  void on_head(http::ResponseHead&& head) override;
  void on_body(std::string_view bytes) override;
  void on_end(upstream::FetchEnd&& end) override;

  // ---- Wakeable: a reader made room, or the last one left ----
  void wake() override;

 private:
  void judge(const http::ResponseHead& head);
  bool discard_for_cookies(const http::ResponseHead& head);
  void check_memory(const http::ResponseHead& head);
  std::shared_ptr<FlightHead> make_head(http::ResponseHead&& head);
  void choose_variant(FlightHead& head);
  void publish(std::shared_ptr<FlightHead> head);
  void store();
  backends::Store& backend_store() const { return plan_.site->store_of(*plan_.route); }
  bool has_room(std::size_t bytes) const;
  void leave_table();
  bool wanted() const;
  bool finish_if_unwanted();  // true: it is gone
  bool finish_if_unread();    // the same
  void remember_failed_refresh();
  void bound_unread_life(std::int64_t at_most_ms);
  void finish();

  Drivers& drivers_;
  Ref<Flight> flight_;
  FetchPlan plan_;
  Life<Wakeable> life_{*this};
  const std::int64_t began_ms_;
  std::unique_ptr<upstream::Fetch> fetch_;
  policy::StoreVerdict verdict_;
  OwnedKey store_key_;
  std::shared_ptr<const FlightHead> head_;
  std::unique_ptr<Timer> unread_timer_;  // set when the last reader has left
  bool storing_ = false;
  bool in_table_ = false;
  bool paused_ = false;
};

}  // namespace weir::flow
