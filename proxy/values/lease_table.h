// Who computes a value while others wait for it. One caller holds the lease of a name, for a
// bounded time; when the value is set all who wait look again, and when it cannot be computed, or
// the time is up, the next one is given a lease. Of the process. Any thread; those who wait are
// told on their own loops.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/life.h"
#include "base/net/loop_door.h"
#include "base/ref_counted.h"

namespace weir::values {

class LeaseTable;

// Who waits. On its loop.
class LeaseWaiter {
 public:
  virtual ~LeaseWaiter() = default;
  // There is news: LeaseTicket::take() says which.
  virtual void lease_news() = 0;
};

struct Lease {
  std::string token;  // nobody can guess it
  std::int64_t until_ms = 0;
  // Where the purge book stood before it was given: what is computed under it is as old as that.
  std::uint64_t seq = 0;
};

// A place among those who wait; on the waiter's loop, and gone before the table. A lease that was
// given to who has left goes on to the next.
class LeaseTicket {
 public:
  ~LeaseTicket();
  LeaseTicket(const LeaseTicket&) = delete;
  LeaseTicket& operator=(const LeaseTicket&) = delete;

  enum class News : std::uint8_t { None, Look, Yours };
  // Look: whether the value is there. Yours: `lease` is to be computed under. Once.
  News take(Lease& lease);
  // Until when the present holder has it: then call LeaseTable::expire().
  std::int64_t until_ms() const;

 private:
  friend class LeaseTable;
  struct Place;
  LeaseTicket(LeaseTable& table, std::shared_ptr<Place> place);

  LeaseTable& table_;
  const std::shared_ptr<Place> place_;
};

class LeaseTable {
 public:
  // Of all names together.
  static constexpr std::size_t kMostWaiters = 4096;
  // Leases that are over and for which nobody waits are dropped when there would be more than that.
  static constexpr std::size_t kMostLeases = 16'384;

  LeaseTable() = default;
  LeaseTable(const LeaseTable&) = delete;
  LeaseTable& operator=(const LeaseTable&) = delete;

  struct Asked {
    std::optional<Lease> lease;           // it is the caller's,
    std::unique_ptr<LeaseTicket> ticket;  // or he waits; neither: too many do, or hold one,
    bool nobody_waits = false;            // or end_waiting() was called
  };
  struct Asking {
    std::int64_t lease_ms = 0;
    std::int64_t now_ms = 0;
    std::uint64_t seq = 0;  // of the purge book, now
    bool may_wait = true;
    std::shared_ptr<LoopDoor> door;
    Weak<LeaseWaiter> who;
  };
  Asked ask(const std::string& name, const Asking& asking);

  // That lease, if it is held still, and so its value may be stored.
  std::optional<Lease> held(const std::string& name, std::string_view token, std::int64_t now_ms);
  // The value is there: the lease, whosoever it is, is over.
  void set(const std::string& name);
  // It cannot be computed: the next one's turn. False: that lease is not held.
  bool fail(const std::string& name, std::string_view token, std::int64_t now_ms);
  // Leases whose time is up go to the next.
  void expire(const std::string& name, std::int64_t now_ms);
  // What those names stand for was cleared: a value that is being computed must not be stored.
  void void_if(const std::function<bool(std::string_view name)>& is_cleared);

  // The process is ending: all who wait look again, and nobody waits from now on.
  void end_waiting();

  bool nobody_waits();

  std::size_t waiters();

  // Held by who stores under a lease, from when he has seen that it is held, and by who clears,
  // until he has ended it.
  std::unique_lock<std::mutex> lock_for_set(std::string_view name);

 private:
  friend class LeaseTicket;
  using PlaceRef = std::shared_ptr<LeaseTicket::Place>;
  struct Held {
    Lease lease;
    std::deque<PlaceRef> waiting;
  };
  using HeldMap = std::map<std::string, Held, std::less<>>;

  static Lease new_lease(std::int64_t now_ms, std::int64_t lease_ms, std::uint64_t seq);
  void drop_leases_that_are_over(std::int64_t now_ms);
  static void tell(const PlaceRef& place, LeaseTicket::News news);
  void give_to_next(HeldMap::iterator held, std::int64_t now_ms);
  void have_all_look(Held& held);
  void end(HeldMap::iterator held);
  void leave(const PlaceRef& place);

  static constexpr std::size_t kSetLocks = 64;
  std::array<std::mutex, kSetLocks> set_locks_;

  std::mutex mutex_;
  HeldMap held_;                   // guarded by mutex_
  std::int64_t next_drop_ms_ = 0;  // guarded by mutex_
  std::size_t waiters_ = 0;        // guarded by mutex_
  bool nobody_waits_ = false;      // guarded by mutex_
};

}  // namespace weir::values
