// How many clients are connected, to all loops together, and which of them would make room for
// others: those who have their answer and only go on talking. Any thread.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>

#include "base/life.h"
#include "base/net/event_loop.h"

namespace weir::front {

class OpenClients {
 public:
  // One that is spent: stands among those who make room, the last of them, until it is told to end,
  // or goes. Both cost the same however many stand there. Its loop's own; the loop and the clients
  // outlive it.
  class Spent {
   public:
    // `end` is told it, once, on `loop`. This object may go in the call; once it has gone nothing
    // is called.
    Spent(OpenClients& clients, EventLoop& loop, EventLoop::Task end);
    ~Spent();
    Spent(const Spent&) = delete;
    Spent& operator=(const Spent&) = delete;

   private:
    friend class OpenClients;

    OpenClients& clients_;
    EventLoop& loop_;
    EventLoop::Task end_;
    Life<Spent> life_{*this};
    const Weak<Spent> watch_ = life_.watch();
    std::optional<std::list<Spent*>::iterator> place_;  // guarded by the clients' mutex
  };

  // One more. Beyond `most` the one that has been spent for longest is told to end, on its own
  // loop; false when there is none: the new one is not counted.
  bool enter(std::uint32_t most);
  void leave();
  std::uint32_t count() const;

 private:
  mutable std::mutex mutex_;
  std::uint32_t count_ = 0;
  std::list<Spent*> spent_;  // the one that has been so for longest first
};

}  // namespace weir::front
