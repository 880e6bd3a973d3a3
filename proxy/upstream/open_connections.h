// How many connections to the app are open in all loops together, in use or idle. Whoever needs a
// new one at the bound has one of the places (connection_places.h), so that somewhere one is idle:
// that one is closed. It closes a moment after the new one was begun when it is another loop's;
// for the app there is no difference, which learns of both when it looks. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <vector>

#include "base/life.h"
#include "base/net/event_loop.h"

namespace weir::upstream {

class OpenConnections {
 public:
  // A loop's idle connections. On its loop, but for what is marked otherwise.
  class Holder {
   public:
    Holder(OpenConnections& all, EventLoop& loop);
    virtual ~Holder();
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

   protected:
    std::size_t idle() const { return idle_.load(std::memory_order_relaxed); }
    void set_idle(std::size_t idle) { idle_.store(idle, std::memory_order_relaxed); }
    // One more is being made. May call close_idle().
    void opened();
    void closed(std::size_t count = 1);

   private:
    friend class OpenConnections;
    // Closes the one that has been idle for longest, and tells closed(); false when none is.
    virtual bool close_idle() = 0;
    void give_way();

    OpenConnections& all_;
    EventLoop& loop_;
    std::atomic<std::size_t> idle_{0};  // written on its loop, read by all
    Life<Holder> life_{*this};
    const Weak<Holder> watch_ = life_.watch();
  };

  explicit OpenConnections(std::size_t most) : most_(most) {}

  std::size_t open() const { return open_.load(std::memory_order_relaxed); }

 private:
  bool too_many() const { return open_.load(std::memory_order_relaxed) > most_; }
  void ask_another(const Holder& but);

  const std::size_t most_;
  std::atomic<std::size_t> open_{0};
  std::mutex mutex_;
  std::vector<Holder*> holders_;  // guarded by mutex_
};

}  // namespace weir::upstream
