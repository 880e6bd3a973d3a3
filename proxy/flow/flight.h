// A flight is one fetch in progress: a head, immutable chunks, an end, an outcome. Leader and
// followers are its readers, each at its own pace, on any loop; it belongs to no client. One
// producer (fill.h), on one loop, fills it.
//
// Two ways of holding bytes: `retained`, all of them, for a store and for readers yet to come; or a
// window, for what will not be stored, where the producer is paced by the slowest reader. A flight
// that lands on an entry holds nothing any more: its readers go on in the entry's body, and its
// memory is the store's.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backends/entry.h"
#include "base/chunk.h"
#include "base/http/message.h"
#include "proxy/flow/convoy.h"
#include "proxy/flow/fill_budget.h"
#include "proxy/flow/wake.h"
#include "proxy/front/exchange.h"
#include "proxy/policy/reason.h"

namespace weir::flow {

// What is known when the app's head has arrived. Immutable once published.
struct FlightHead {
  http::ResponseHead response;  // as every reader sends it, fresh fields aside
  policy::Refusal refusal;      // why it is not stored; reason None: it is
  bool shareable = false;       // followers may have it
  bool variants_full = false;   // storing it made the URL drop a variant
  std::int64_t ttl_s = 0;
  std::int64_t age_s = 0;  // already at arrival; 0: not to be told
  std::int64_t upstream_ms = 0;
  std::vector<std::string> vary;  // with a Vary: which fields,
  std::string variant_key;        // and the key that the leader's values of them made
};

class Flight : public RefCounted<Flight> {
 public:
  enum class Phase : std::uint8_t {
    Waiting,    // no head yet
    Streaming,  // the head is there
    Landed,     // no fetch was needed: `entry` has the answer
    Complete,   // all bytes are there (and stored, if they were to be)
    Broken,     // the app broke off behind its head: readers are cut
    Released,   // readers but the leader go on by themselves; see `release`
    Failed,     // no head will come: Weir's own 502 or 504
  };
  // Why readers were let go, and what each of them does next.
  enum class Release : std::uint8_t {
    None,
    Refused,   // the answer is not for sharing: each fetches its own, at once
    AskAgain,  // nor for the leader: its cookies were withheld and they matter
    AppError,  // the app answered 5xx: a stale copy, else a few at a time
    Retry,     // no fetch was needed: the store has it
  };
  struct State {
    Phase phase = Phase::Waiting;
    Release release = Release::None;
    std::shared_ptr<const FlightHead> head;
    backends::EntryRef entry;       // Landed: each reader judges it for itself;
    std::vector<std::string> vary;  // of a URL with variants: which fields tell its variants apart
    int error_status = 0;           // Failed: Weir's own 400, 502 or 504,
    policy::Refusal error;          // and why
  };

  static constexpr std::uint64_t kWindowBytes = 1024 * 1024;
  static constexpr std::uint64_t kSmallWindowBytes = 128 * 1024;  // when fill_memory is used up

  Flight(FillBudget& budget, std::uint64_t seq) : budget_(budget), seq_(seq) {}
  ~Flight();

  std::uint64_t seq() const { return seq_; }
  Ref<Convoy> share_convoy() { return convoy_; }

  // ---- producer ----
  // Where it is told, on its loop, that a reader made room or that the last reader left.
  void set_producer(Waker producer);
  void publish_head(std::shared_ptr<const FlightHead> head, bool retained);
  void release(Release release, std::shared_ptr<const FlightHead> head, bool retained);
  void fail(int status, policy::Refusal why);
  // Takes `bytes` from the budget at once, for a body of known length. False: there is no room.
  bool reserve(std::uint64_t bytes);
  // Appends bytes; unless `publish`, readers see them with the next publication or the end.
  void append(std::string_view bytes, bool publish);
  // From now on a window: nothing will be stored.
  void stop_retaining();
  // All bytes are there, or no more will come.
  void end(bool complete);
  // Everything appended; retained flights only.
  Body take_body();
  // What was looked for, or has been fetched, is in a store: as this entry.
  void land(backends::EntryRef entry, std::vector<std::string> vary);
  std::uint64_t appended() const { return appended_; }
  // Nobody reads it and, from this call on, nobody can: late comers are sent to look again. False
  // when there is a reader after all.
  bool close_if_unread();
  // The producer ends early: whoever still reads is told so.
  void abandon();
  bool window_full();
  std::size_t reader_count();

  // ---- readers ----
  State state();
  // Goes on although nobody may be reading: somebody who left wants it in the store.
  void keep_on() { kept_on_.store(true, std::memory_order_relaxed); }
  bool kept_on() const { return kept_on_.load(std::memory_order_relaxed); }
  // May somebody new follow? Not once bytes were dropped, nor after a release. One that is complete
  // may be followed until it has left the table.
  bool joinable();

 private:
  friend class FlightReader;

  struct Reader {
    Waker waker;
    std::uint64_t offset = 0;  // bytes consumed
    bool waiting = true;       // wants to be woken
    bool missed = false;       // came when bytes had left the front
    bool has_views = false;    // of what pull() gave it, until its next call
  };

  Reader* attach(Waker waker);
  void detach(Reader* reader);
  front::BodySource::Pull pull(Reader& reader, std::span<iovec> parts);
  front::BodySource::Pull gather_locked(const Reader& reader, std::span<iovec> parts) const;
  void consume(Reader& reader, std::size_t bytes);

  void free_retired_locked();
  void charge_locked(std::uint64_t bytes);
  void publish_locked();
  void drop_consumed_locked();
  void wake_readers_locked();
  void wake_producer_locked();
  void allocate_chunk(std::size_t wanted);
  std::uint64_t slowest_locked() const;
  std::uint64_t window_bytes() const;

  FillBudget& budget_;
  const std::uint64_t seq_;
  const Ref<Convoy> convoy_ = make_ref<Convoy>();

  std::atomic<bool> kept_on_{false};

  // Producer only.
  Ref<Chunk> tail_;  // being filled
  std::uint64_t appended_ = 0;

  std::mutex mutex_;  // guards everything below
  State state_;
  std::uint64_t length_ = 0;  // known length, or 0; written by the producer, who may read it
  bool retained_ = true;      // changed by the producer alone, which so may read it
  bool dropped_ = false;      // bytes have left the front
  std::deque<Piece> pieces_;  // the last one may grow; none once it has landed
  // What was held here before it landed, while readers on other loops are sending from it.
  std::deque<Piece> retired_;
  std::uint64_t first_offset_ = 0;  // of pieces_.front()
  std::uint64_t published_ = 0;     // readers see bytes up to here
  std::uint64_t charged_ = 0;       // to the budget, what is reserved included
  std::uint64_t reserved_ = 0;      // of it, for chunks to come
  std::vector<std::unique_ptr<Reader>> readers_;
  Waker producer_;
  bool producer_waits_ = false;  // told that the window is full
};

// A reader's hold on a flight, and its body as a source. Lives on the reader's loop; leaving is
// destroying it.
class FlightReader final : public front::BodySource {
 public:
  FlightReader(Ref<Flight> flight, Waker waker, bool leader);
  ~FlightReader() override;

  Flight& flight() { return *flight_; }
  bool leader() const { return leader_; }
  // It came too late to have the whole body, and must look elsewhere.
  bool missed_bytes() const { return reader_->missed; }
  Pull pull(std::span<iovec> parts) override;
  void consume(std::size_t bytes) override;

 private:
  Ref<Flight> flight_;
  Flight::Reader* reader_;
  const bool leader_;
};

}  // namespace weir::flow
