// How many clients are connected, to all loops together, and which of them would make room for
// others: those who have their answer and only go on talking. Any thread.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>

#include "base/life.h"
#include "base/net/event_loop.h"

namespace weir::front {

// Who holds clients that are spent, on one loop.
class SpentClients {
 public:
  // Ends one of them; none may be left.
  virtual void end_a_spent_one() = 0;

 protected:
  ~SpentClients() = default;
};

class OpenClients {
 public:
  // One more. Beyond `most` the one that has been spent for longest is told to end, on its own
  // loop; false when there is none: the new one is not counted.
  bool enter(std::uint32_t most);
  void leave();
  std::uint32_t count() const;

  // `holder` has one more that is spent. The loop outlives what is said here of it.
  void add_spent(EventLoop& loop, Weak<SpentClients> holder);
  // One of them has ended by itself. False: it was told to end as well, and the call is on its way.
  bool remove_spent(const Weak<SpentClients>& holder);

 private:
  struct Spent {
    EventLoop* loop;
    Weak<SpentClients> holder;
  };

  mutable std::mutex mutex_;
  std::uint32_t count_ = 0;
  std::list<Spent> spent_;  // the one that has been so for longest first
};

}  // namespace weir::front
