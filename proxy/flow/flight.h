// A flight is one answer that is being looked for or is arriving: a head, immutable chunks, an end,
// an outcome. Its readers are the one who leads, who had it flown, and those who follow; each reads
// at its own pace, on its own loop, and it belongs to none of them. One producer (fill.h), on one
// loop, fills it.
//
// Two fetches may look for the answer at the same time: a second one begins when those who follow
// have waited for the first for too long. They are its runners. The first that has an answer is the
// producer; one that fails while the other runs leaves the race. Either way the other one, or the
// failed one, is set apart for the reader who leads it: it goes on, on a flight of its own, until
// that reader has seen that the answer here is for him too.
//
// Three ways of holding bytes: `retained`, all of them, for a store and for readers yet to come;
// the same, but where the store takes them as they arrive: then the last ones only, and who is
// behind these, or comes late, reads on in the store; or a window, for what will not be stored,
// where the producer is paced by the fastest reader. Who falls too far behind that one is cut: no
// reader slows another. A flight lands on an entry when a store had the answer, or has taken it: it
// holds no bytes any more, and its readers go on in the entry's body.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backends/entry.h"
#include "backends/far_body.h"
#include "base/chunk.h"
#include "base/http/message.h"
#include "cachekeys/key.h"
#include "proxy/flow/fill_budget.h"
#include "proxy/flow/wake.h"
#include "proxy/front/exchange.h"
#include "proxy/policy/reason.h"

namespace weir::flow {

// What is known when the app's head has arrived. Immutable once published.
struct FlightHead {
  http::ResponseHead response;  // as every reader sends it, fresh fields aside
  policy::Refusal refusal;      // why it is not stored; reason None: it is
  bool shareable = false;       // followers may have it,
  backends::EntryMeta meta;     // and by this whoever comes later judges whether it is still fresh
  bool variants_full = false;   // storing it made the URL drop a variant
  // Of an answer of 5xx: the app was asked again after one, so that it is for all who wait,
  bool again = false;
  bool error_is_for_all = false;  // with the app's own body, and not only its status
  std::int64_t arrived_ms = 0;    // on the steady clock
  std::int64_t ttl_s = 0;         // at arrival
  std::int64_t age_s = 0;         // at arrival; -1: its own Age field tells
  std::int64_t upstream_ms = 0;
  std::vector<std::string> vary;    // with a Vary: which fields,
  std::string variant_key;          // and the key that the leader's values of them made
  std::vector<std::uint64_t> tags;  // of what is stored
};

enum class Runner : std::uint8_t { First, Second };

class Flight : public RefCounted<Flight> {
 public:
  enum class Phase : std::uint8_t {
    Waiting,    // nothing known yet
    Found,      // a store had it: `entry`
    Streaming,  // the app's head is there
    Complete,   // and all bytes
    Broken,     // the app broke off behind its head: readers are cut
    Released,   // there will be no head for anybody here; `release` says why
    Failed,     // there will be none: Weir's own 400, 502 or 504
  };
  // Why those who follow are let go, and what each of them does next. The one who leads keeps the
  // head where there is one (Streaming and onwards).
  enum class Release : std::uint8_t {
    None,
    Refused,    // it is not for sharing: each fetches its own, at once
    AskAgain,   // nor for the one who leads: cookies were withheld and they matter
    AppError,   // the app answered 5xx: a stale copy, else one of them asks again for all
    LookAgain,  // it was given up, as nobody read it, before they came
  };
  struct State {
    Phase phase = Phase::Waiting;
    Release release = Release::None;
    Runner from = Runner::First;  // whose answer it is: the one who leads that runner keeps it
    std::shared_ptr<const FlightHead> head;
    backends::EntryRef entry;       // once landed; one that was Found each reader judges for itself
    std::vector<std::string> vary;  // Found at a URL with variants: which fields tell them apart
    int error_status = 0;           // Failed: Weir's own 400, 502 or 504,
    policy::Refusal error;          // and why
  };

  static constexpr std::uint64_t kWindowBytes = 1024 * 1024;
  static constexpr std::uint64_t kSmallWindowBytes = 128 * 1024;  // when fill_memory is used up

  Flight(FillBudget& budget, std::uint64_t seq) : budget_(budget), seq_(seq) {}
  ~Flight();

  std::uint64_t seq() const { return seq_; }
  bool began_before(const Flight& other) const { return number_ < other.number_; }

  // ---- runners ----
  // Where one is told, on its loop, that the last reader left, that it has lost, or, once it is the
  // producer, that a reader made room.
  void enter_race(Runner runner, Waker waker);
  // It has an answer. True: it is the producer. False: the other one was faster.
  bool win(Runner runner);
  // It has none. True: the other one runs, or has won, and all wait for what that brings, but for
  // the one who leads this runner, if `app_failed`. False: it is the only one, and has to say how
  // it ended.
  bool leave_race(Runner runner, bool app_failed = false);
  // Where it goes on, as the first runner there, when it has lost or has left as failed; null:
  // there is nobody for whom it should. Once.
  Ref<Flight> take_apart(Runner runner);
  bool has_lost(Runner runner);
  // A runner that left the race had met a failure, the app's or Weir's own.
  bool app_failed();
  // There was a second runner. None begins once there is news.
  bool has_raced() const { return second_begun_.load(std::memory_order_relaxed); }

  // ---- producer ----
  // Also that a first reader has come to wait for the head: it was begun for nobody.
  void tell_of_reader();
  void publish_head(std::shared_ptr<const FlightHead> head, bool retained);
  void release(Release release, std::shared_ptr<const FlightHead> head, bool retained);
  void fail(int status, policy::Refusal why);
  // Takes `bytes` from the budget at once, for a body of known length. False: there is no room.
  bool reserve(std::uint64_t bytes);
  // Appends bytes; unless `publish`, readers see them with the next publication or the end.
  void append(std::string_view bytes, bool publish);
  // Everything appended and still held, in its order.
  void for_each_piece(const std::function<void(std::string_view)>& visit);
  // A store takes the bytes as they arrive, those appended so far included: `far` is what can be
  // read there by now.
  void flow_into(Ref<const backends::FarBody> far);
  // From now on a window: nothing will be stored.
  void stop_retaining();
  // All bytes are there, or no more will come.
  void end(bool complete);
  // Everything appended; retained flights only.
  Body take_body();
  // What was looked for, or has been fetched, is in a store: as this entry. The budget has all of
  // it back, unless no store accounts for the entry's memory.
  void land(backends::EntryRef entry, std::vector<std::string> vary);
  std::uint64_t appended() const { return appended_; }
  // Nobody reads it and, from this call on, nobody can: who comes late looks again. False when
  // there is a reader after all.
  bool close_if_unread();
  // The producer ends early: whoever still reads is told so.
  void abandon();
  // The fastest reader is a window behind: no more is to be appended until the producer is woken.
  bool window_full();
  // Whether a reader was cut, or sent to look elsewhere, because it fell out of the window.
  bool has_left_one_behind() const { return left_behind_.load(std::memory_order_relaxed); }
  std::size_t reader_count();

  // ---- readers ----
  // Goes on although nobody may be reading: somebody who left wants it in the store.
  void keep_on() { kept_on_.store(true, std::memory_order_relaxed); }
  bool kept_on() const { return kept_on_.load(std::memory_order_relaxed); }
  // The flight that was begun for those who followed this one and met the app's 5xx; null: none
  // yet, or none of that name. Who hears of it late finds it although it has left the table.
  Ref<Flight> successor(keys::KeyView name);
  void set_successor(keys::KeyView name, const Ref<Flight>& next);
  // May somebody new follow? Not once bytes were dropped, nor after a release, nor when it is
  // outdated. One that is complete may be followed until it has left the table.
  bool joinable();
  // An answer to a request that was made after this one's has come, under the same name: what this
  // one brings is not stored, and is for nobody who comes from now on.
  void outdate() { outdated_.store(true, std::memory_order_relaxed); }
  bool outdated() const { return outdated_.load(std::memory_order_relaxed); }

 private:
  friend class FlightReader;

  static constexpr std::size_t kRunners = 2;
  using Pieces = std::deque<Piece>;
  struct Reader {
    Waker waker;
    std::uint64_t offset = 0;              // bytes consumed
    bool waiting = true;                   // wants to be woken
    bool begun = false;                    // has asked for bytes: its client has the head
    bool left_behind = false;              // fell out of the window, and was told
    bool missed = false;                   // bytes had left the front before it began
    bool late = false;                     // came when the head was there
    std::optional<Runner> leads;           // had that one begun; written by the reader alone,
    Ref<Flight> own;                       // which was set apart on this flight,
    Reader* place_there = nullptr;         // where its place is kept
    bool has_views = false;                // of what pull() gave it, until its next call:
    std::shared_ptr<const Pieces> landed;  // of these, when the flight has landed since,
    std::vector<Piece> left;               // or of these, which have left the window since
  };

  // A reader's hold on another flight: where his own runner goes on.
  struct Own {
    Ref<Flight> flight;  // null: nowhere
    Reader* place = nullptr;
  };

  Reader* attach(Waker waker, std::optional<Runner> leads);
  // Where he still had a place kept, he must leave as well.
  Own detach(Reader* reader);
  bool begin_second(Reader& reader);
  Own take_own(Reader& reader);
  void occupy(Reader& place, Waker waker);
  State look(Reader& reader);
  // What a reader is to read in a store, from its place on up to here.
  struct Far {
    Ref<const backends::FarBody> body;  // null: nothing
    std::uint64_t at = 0;
    std::uint64_t until = 0;
    bool last = false;  // nothing follows
  };
  front::BodySource::Pull pull(Reader& reader, std::span<iovec> parts, Far& far);
  Far far_locked(const Reader& reader) const;
  front::BodySource::Pull gather_locked(const Reader& reader, std::span<iovec> parts) const;
  void consume(Reader& reader, std::size_t bytes);
  bool missed(const Reader& reader);
  bool left_behind(const Reader& reader);

  bool drops_locked() const { return !retained_ || far_; }
  bool is_whole_locked() const { return retained_ && (!dropped_ || far_); }
  void charge_locked(std::uint64_t bytes);
  void publish_locked();
  void drop_locked();
  void leave_behind_locked();
  static void forget_views(Reader& reader);
  void wake_readers_locked();
  void wake_producer_locked();
  void wake_runners_locked();
  void set_apart_locked(Runner runner);
  void forget_runners_locked();
  void allocate_chunk(std::size_t wanted);
  std::uint64_t fastest_locked() const;
  std::uint64_t needed_from_locked() const;
  std::uint64_t window_bytes() const;

  FillBudget& budget_;
  const std::uint64_t seq_;
  static std::atomic<std::uint64_t> flights_;  // that have begun
  const std::uint64_t number_ = flights_.fetch_add(1, std::memory_order_relaxed);

  std::atomic<bool> kept_on_{false};
  std::atomic<bool> left_behind_{false};
  std::atomic<bool> outdated_{false};

  // Producer only.
  Ref<Chunk> tail_;  // being filled
  std::uint64_t appended_ = 0;

  std::mutex mutex_;  // guards everything below
  State state_;
  std::uint64_t length_ = 0;  // known length, or 0; written by the producer, who may read it
  Ref<const backends::FarBody> far_;  // where the bytes flow, or have flowed until it was given up
  bool retained_ = true;              // changed by the producer alone, which so may read it
  bool dropped_ = false;              // bytes have left the front
  std::uint64_t was_retained_ = 0;    // in memory when it became a window, as much as that stays
  Pieces pieces_;                     // the last one may grow; none once it has landed
  std::uint64_t first_offset_ = 0;    // of pieces_.front()
  std::uint64_t published_ = 0;       // readers see bytes up to here
  std::uint64_t charged_ = 0;         // to the budget, what is reserved included
  std::uint64_t reserved_ = 0;        // of it, for chunks to come
  std::vector<std::unique_ptr<Reader>> readers_;
  std::array<bool, kRunners> running_{true, false};
  std::array<Waker, kRunners> runners_;      // the producer's alone, once there is one
  std::array<Ref<Flight>, kRunners> apart_;  // where they go on, until they know
  std::optional<Runner> winner_;
  std::atomic<bool> second_begun_{false};  // changed under the lock
  bool app_failed_ = false;
  Ref<Flight> successor_;
  std::string successor_name_;
  bool producer_waits_ = false;  // told that the window is full
  bool tells_of_reader_ = false;
};

// A reader's hold on a flight, and its body as a source. Lives on the reader's loop; leaving is
// destroying it.
class FlightReader final : public front::BodySource {
 public:
  FlightReader(Ref<Flight> flight, Waker waker, std::optional<Runner> leads);
  ~FlightReader() override;

  const Ref<Flight>& flight() { return flight_; }
  // What has come of it. While that is nothing yet, the waker is used when there is news.
  Flight::State look() { return flight_->look(*reader_); }
  // It had a fetch begun: it leads that one's runner, and waits for either.
  bool leads() const { return reader_->leads.has_value(); }
  // True: the caller starts the second runner, now, and leads it. False: there is, or was, one
  // already, or the answer is known.
  bool begin_second() { return flight_->begin_second(*reader_); }
  // What has come is not for its request: true when the fetch that it had begun goes on for it
  // alone. That is what it reads from now on, and `waker` tells of news.
  bool return_to_own(const Waker& waker);
  // What has come is: the fetch that it had begun, if it goes on, may end.
  void give_up_own();
  // What has come is the answer to its own request.
  bool is_its_own(const Flight::State& state) const { return reader_->leads == state.from; }
  // It came when the head was there: what it would share is older than its request.
  bool came_late() const { return reader_->late; }
  // It came, or began to read, too late to have the whole body, and must look elsewhere.
  bool missed_bytes() const { return flight_->missed(*reader_); }
  // It was too slow for the others: what it has not read yet is gone.
  bool left_behind() const { return flight_->left_behind(*reader_); }
  Pull pull(std::span<iovec> parts) override;
  void consume(std::size_t bytes) override;

 private:
  Pull pull_far(const Flight::Far& far, std::span<iovec> parts);

  Ref<Flight> flight_;
  Flight::Reader* reader_;
  Waker waker_;
  std::unique_ptr<backends::FarReader> far_;  // once it was behind
};

}  // namespace weir::flow
