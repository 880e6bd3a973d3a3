// THE contract of a place where entries rest. Backends know keys and entries; they know nothing of
// freshness, Vary or routes.
//
// Two halves. A Backend belongs to the process: it is found by name, and any thread may call it. A
// Store is one backend's presence on one loop: links, completions and deadlines live there. It is
// used and destroyed on that loop only, before the loop and the backend; what it handed out
// (handles, reservations) goes before it.
//
// A store answers now or later. A final answer comes with the call, and the waiter is not called;
// Pending means that the waiter is called exactly once, on the store's loop, unless the handle was
// dropped first; never from within the call. The handle may be dropped within the call of the
// waiter. Dropping the handle of a look-up cancels it; dropping that of a store only means that
// nobody wants to hear how it ended. A key's bytes need to live only as long as the call that they
// are given to. A look-up that fails is a Miss. A store that is refused or fails leaves no older
// entry readable under that key: an old page never comes back.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "backends/entry.h"
#include "backends/listing.h"
#include "base/net/event_loop.h"
#include "cachekeys/key.h"

namespace weir::backends {

// What a look-up is for.
enum class Purpose : std::uint8_t {
  // For a client, or for all who wait for it: counts as a hit or a miss, and as a use of the entry.
  // A marker that is found counts as a use only: what the client gets is found by the look-up that
  // follows. That lookup_now() finds nothing is a miss only where it has the last word.
  Serve,
  // As Serve, and what is found is copied to a nearer tier: a body that could be sent from where it
  // lies is wanted in memory all the same, if it is one that memory takes.
  Promote,
  // Merely to know: counts as nothing and touches no eviction state.
  Probe,
};

class LookupWaiter {
 public:
  virtual ~LookupWaiter() = default;
  virtual void on_lookup(EntryRef entry) = 0;  // null: miss
  // Of tiers: whether what a near one has will do, so that one that others share need not be asked
  // whether it has something newer. May be called from within lookup().
  virtual bool is_enough(const Entry&) { return true; }
};

enum class StoreResult : std::uint8_t {
  Stored,
  TooLarge,  // larger than max_object_size, or than the backend could ever hold
  NoRoom,    // readers and reservations hold what would have to leave
  Failed,    // the medium fails, or has no room; the backend has logged why
  NotHeld,   // the lease that it was to be stored under is over
};

class StoreWaiter {
 public:
  virtual ~StoreWaiter() = default;
  virtual void on_stored(StoreResult result) = 0;
};

// Something under way. See above for what dropping it means.
class PendingAnswer {
 public:
  virtual ~PendingAnswer() = default;
};

struct Lookup {
  enum class Status : std::uint8_t { Hit, Miss, Pending };
  Status status = Status::Miss;
  EntryRef entry;                          // Hit
  std::unique_ptr<PendingAnswer> pending;  // Pending
};

struct Storing {
  std::optional<StoreResult> result;       // empty: pending
  std::unique_ptr<PendingAnswer> pending;  // set exactly when `result` is empty
};

enum class EraseResult : std::uint8_t {
  Erased,
  Absent,
  Failed,   // the backend has logged why
  Started,  // under way; the backend logs a failure
};

// What a store is told of an entry beside it.
struct StoreTerms {
  // How long from now on it can be of use without being validated: its freshness and the longer of
  // its stale windows, by the rule in force. Empty: as the entry itself says. For backends that
  // keep each entry for a time of its own; the others make room by use.
  std::optional<std::int64_t> useful_s = {};
  // Only if that lease is held (Store::lease), which ends with it.
  std::string lease = {};
};

// Room that is kept for one object while its body arrives. Dropping it gives the room back.
class Reservation {
 public:
  virtual ~Reservation() = default;
};

// An object whose body goes into the store while it arrives, so that it never lies in memory as a
// whole. Dropping it before it was committed leaves nothing of it. On the store's loop.
class Inflow {
 public:
  virtual ~Inflow() = default;

  // The next bytes of the body. False: the store has given it up, for its medium is too slow, or
  // fails; nothing more is to be asked of it but body().
  virtual bool append(std::string_view bytes) = 0;
  // Whether so much is unwritten that more had better wait, if nobody is kept waiting by that. Once
  // it was, `ready` is called when it is so no more; never from within.
  virtual bool is_behind() = 0;
  virtual void when_ready(std::function<void()> ready) = 0;
  // What can be read of it by now.
  virtual Ref<const FarBody> body() const = 0;
  // All bytes were appended. `head` is the entry but for its body. Once, and as Store::store().
  virtual Storing commit(EntryParts head, StoreWaiter& waiter) = 0;
  // The entry, once it is stored.
  virtual EntryRef entry() const = 0;
};

// The right to fetch an object that a shared store lacks: of all instances one has it at a time,
// for a while. Dropping it gives it to the next. On the store's loop, and gone before the store.
class Claim {
 public:
  virtual ~Claim() = default;
  // What was fetched is for one visitor alone: for some seconds nobody need wait for anybody.
  virtual void refuse() = 0;
};

struct Claimed {
  enum class Status : std::uint8_t {
    Mine,     // `claim`
    Others,   // somebody else is fetching it
    Refused,  // somebody else has, and it is for nobody but him
    Unknown,  // the medium fails
  };
  Status status = Status::Unknown;
  std::unique_ptr<Claim> claim = nullptr;
};

class ClaimWaiter {
 public:
  virtual ~ClaimWaiter() = default;
  virtual void on_claimed(Claimed claimed) = 0;
};

// The right to compute a value that a shared store lacks. It lies there under the value's own key,
// so that any instance knows it by its token. Storing or erasing the value ends it.
struct LeaseTerms {
  std::string token;
  std::int64_t for_ms = 0;
  std::uint64_t seq = 0;     // where the purge book stood before it was given
  bool takes_place = false;  // also of what lies there, which was found to be of no use
};
enum class LeaseResult : std::uint8_t {
  Mine,
  Others,   // another one is held
  There,    // something lies there
  Unknown,  // the medium fails
};

class Store {
 public:
  virtual ~Store() = default;

  // Whether lookup_now() has the last word: what it does not find is not here. Constant.
  virtual bool answers_now() const = 0;
  // Whether others than this process store there. Constant.
  virtual bool is_shared() const { return false; }
  // Others that store there may have purged what this process has in nearer tiers, without its
  // knowing; and it was told to use none of it then.
  virtual bool is_cut_off() const { return false; }
  // Answers at once from memory or not at all; null also when it would have to wait.
  virtual EntryRef lookup_now(keys::KeyView key, Purpose purpose) = 0;
  // Whether it may be here: false is certain. Never waits.
  virtual bool may_have(keys::KeyView key) {
    return !answers_now() || lookup_now(key, Purpose::Probe) != nullptr;
  }
  virtual Lookup lookup(keys::KeyView key, Purpose purpose, LookupWaiter& waiter) = 0;

  // Whether an object with so many bytes of body (empty: the length is not known) will be stored.
  // Asked when its head has arrived; room is made and kept for it, of an unknown length only for
  // what every object costs. Else the reason; Failed: the medium fails now, or lets nobody write.
  virtual std::expected<std::unique_ptr<Reservation>, StoreResult> admit(
      std::optional<std::uint64_t> body_bytes) = 0;

  // Replaces what stands under the entry's key. `reservation` is one of this store's, or null: the
  // room is then made here.
  virtual Storing store(EntryRef entry, std::unique_ptr<Reservation> reservation,
                        const StoreTerms& terms, StoreWaiter& waiter) = 0;
  virtual EraseResult erase(keys::KeyView key) = 0;
  // Tells whether all that erase() was called for since the store had that many `erasures` is gone,
  // for all who share the store and for the next process; once, later, unless the handle is
  // dropped. Null: it is. Tiers tell of the one that is shared alone.
  virtual std::uint64_t erasures() const { return 0; }
  using ErasedTold = std::move_only_function<void(bool are_gone)>;
  virtual std::unique_ptr<PendingAnswer> when_erased(std::uint64_t /*since*/, ErasedTold /*told*/) {
    return nullptr;
  }

  // Asks for the right to fetch the object of that key; it ends by itself after so long. `waiter`
  // is told once, later, unless the handle is dropped. Null: no other instance stores here.
  virtual std::unique_ptr<PendingAnswer> claim(keys::KeyView, std::int64_t /*for_ms*/,
                                               ClaimWaiter&) {
    return nullptr;
  }

  // Leases, told as claims are. Null: no other instance stores here.
  using LeaseTold = std::move_only_function<void(LeaseResult)>;
  virtual std::unique_ptr<PendingAnswer> lease(keys::KeyView, const LeaseTerms&,
                                               LeaseTold /*told*/) {
    return nullptr;
  }
  // Mine: that token holds it, and it was given at that position.
  using LeaseFound = std::move_only_function<void(LeaseResult result, std::uint64_t seq)>;
  virtual std::unique_ptr<PendingAnswer> find_lease(keys::KeyView, std::string_view /*token*/,
                                                    LeaseFound /*found*/) {
    return nullptr;
  }
  // Mine: that token held it.
  using LeaseEnded = std::move_only_function<void(LeaseResult result)>;
  virtual std::unique_ptr<PendingAnswer> end_lease(keys::KeyView, std::string_view /*token*/,
                                                   LeaseEnded /*ended*/) {
    return nullptr;
  }

  // Some of the responses whose keys begin with that byte, in no certain order: `from` is 0, or
  // what the last part said. What is there from the first part to the last is in one of them, or in
  // several; what comes or goes meanwhile may be. A part is found in a bounded time and may well be
  // empty. Counts as nothing and touches no eviction state. Of tiers: what the last one has.
  virtual Listing list(char first_byte, std::uint64_t from, ListWaiter& waiter) = 0;

  // The largest body that is to be stored as a whole: a larger one comes as an inflow, or is too
  // large. Constant.
  virtual std::uint64_t most_whole() const = 0;
  // For a body of so many bytes, empty as in admit(); or the reason why not.
  virtual std::expected<std::unique_ptr<Inflow>, StoreResult> open_inflow(
      std::optional<std::uint64_t> body_bytes) = 0;
};

struct BackendStats {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;  // charged; entries still being read and reservations included
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t stores = 0;  // that ended as Stored
  std::uint64_t evictions = 0;
  std::uint64_t errors = 0;   // reads and writes that the medium failed
  std::uint64_t dropped = 0;  // objects not stored, since the medium was too slow for them
  bool breaker_open = false;  // the medium fails: most look-ups miss and stores are refused at once
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual const std::string& name() const = 0;
  // On that loop's thread, or before the loop runs.
  virtual std::unique_ptr<Store> attach(EventLoop& loop) = 0;
  virtual void clear() = 0;

  virtual std::uint64_t max_object_size() const = 0;  // bytes of body
  virtual std::int64_t default_expire_s() const = 0;
  virtual BackendStats stats() const = 0;
};

// Stores without waiting to hear how it ended. The result, if there was one at once.
std::optional<StoreResult> store_unheard(Store& store, EntryRef entry,
                                         std::unique_ptr<Reservation> reservation = nullptr);

}  // namespace weir::backends
