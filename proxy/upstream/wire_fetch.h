// One fetch, from its first attempt to its end: HTTP/1.1 on a connection of the loop's pool. Pooled
// by WireFetcher, so that a request reuses the buffers and the timer of one before. Loop thread
// only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/life.h"
#include "base/net/timer.h"
#include "proxy/upstream/answer_reader.h"
#include "proxy/upstream/connection_places.h"
#include "proxy/upstream/fetcher.h"
#include "proxy/upstream/request_writer.h"
#include "proxy/upstream/upstream_pool.h"
#include "proxy/upstream/wire_pool.h"

namespace weir::upstream {

class WireFetcher;

class WireFetch final : public ConnectionPlaces::Guest, private WireConnection::Owner {
 public:
  WireFetch(WireFetcher& fetcher, WirePool& wires, UpstreamPool& pool);
  ~WireFetch() override;

  // `only_url`: ask this address and no other.
  std::unique_ptr<Fetch> begin(FetchRequest request, FetchSink& sink,
                               std::optional<std::size_t> only_url);
  // Some time after WireFetcher::schedule(), whose flag this is.
  void on_turn();
  bool scheduled = false;

 private:
  class Handle;
  enum class Phase : std::uint8_t {
    Idle,        // in the fetcher's pool
    Waiting,     // for a place among the connections
    Admitted,    // about to start an attempt
    Connecting,  // waits for a new connection
    Running,     // has a connection, and the request is on its way
  };

  // ---- life ----
  void take_place();
  void on_place() override;
  void start_attempt();
  void end_attempt();
  // Whether another attempt follows; prepares it.
  bool try_again(FetchResult result, bool unreachable);
  void end_or_retry(FetchResult result, std::string message, bool unreachable);
  void finish(FetchResult result, std::string message);
  void leave();
  // Whether it may go out on a connection that the app may be closing at this moment.
  bool may_reuse() const;
  // Whether a request that may have reached the app may be sent once more.
  bool may_repeat() const;

  // ---- the connection ----
  void on_connected() override;
  void on_unreachable(std::string message) override;
  void on_ready(WireConnection& connection, bool readable, bool writable) override;
  // These return false when the fetch has ended, or its attempt.
  bool send();
  bool receive();
  bool feed(std::string_view bytes);
  bool feed_head(std::string_view& bytes);
  bool feed_body(std::string_view& bytes);
  void on_stream_end(WireConnection::State how);
  void complete(bool excess);
  void update_interest();

  // ---- the sink's wishes and time ----
  void pause();
  void resume();
  void body_ready();
  void body_gathered();
  void await_continue();
  void open_body();
  void time_answer();
  void arm_deadline();
  void on_deadline();
  std::int64_t now_ms() { return wires_.loop().now_ms(); }

  static constexpr std::int64_t kNever = INT64_MAX;

  WireFetcher& fetcher_;
  WirePool& wires_;
  UpstreamPool& pool_;
  AnswerReader answer_;
  RequestWriter writer_;
  Deadline deadline_;

  // The fetch.
  FetchRequest request_;
  FetchSink* sink_ = nullptr;
  // Of this fetch, not of the object: its handle, and whoever calls the sink or the request's body,
  // see here whether it still goes on.
  Life<WireFetch> life_{*this};
  std::optional<std::size_t> only_url_;
  std::optional<std::size_t> avoid_url_;
  std::int64_t gather_by_ms_ = kNever;    // while an upload waits for more of its body
  std::int64_t continue_by_ms_ = kNever;  // while the body is held
  std::int64_t connect_by_ms_ = kNever;
  std::int64_t answer_by_ms_ = kNever;
  std::int64_t sent_ms_ = 0;
  std::size_t failovers_ = 0;
  std::uint32_t retries_ = 0;
  Phase phase_ = Phase::Idle;
  bool paused_ = false;      // the sink wants no more
  bool body_waits_ = false;  // the body had nothing
  bool need_fresh_ = false;
  bool private_ = false;  // the request logs its connection in

  // The attempt.
  std::unique_ptr<WireConnection> connection_;
  std::size_t url_ = 0;
  bool reused_ = false;
  bool blocked_ = false;    // the app takes no more at present
  bool deaf_ = false;       // the app takes nothing more at all
  bool full_read_ = false;  // the last read filled the buffer
};

}  // namespace weir::upstream
