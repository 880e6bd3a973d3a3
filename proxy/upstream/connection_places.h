// The bound on the process's connections to the app (upstream.max_connections), and the queue for
// it: one for all loops. A request takes a place before it is sent and gives it back when its
// answer has ended.
//
// Who waits is served in the order of arrival, with exceptions, so that no kind of request can
// starve the others:
// - refreshes, for which nobody waits, use at most half of the places and never go before a client;
// - uploads use at most three quarters, and while places are scarce (more clients wait than are
//   free) one waits until it is `gathered`, so that no place is held by a body that drips in.
// Each kind may have one place at least: a single one goes round in the order of arrival.
//
// Any thread; a guest's calls are for its own loop.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <vector>

#include "base/life.h"
#include "base/net/event_loop.h"

namespace weir::upstream {

enum class PlaceKind : std::uint8_t {
  Visit,    // somebody waits for the answer
  Upload,   // and sends a body, as slowly as he likes
  Refresh,  // nobody waits: behind a copy that was served stale
};

class ConnectionPlaces {
 public:
  // Who wants a place. Leaves before it goes.
  class Guest {
   public:
    explicit Guest(EventLoop& loop) : loop_(loop) {}
    virtual ~Guest();
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;
    // From enter() until on_place() or leave().
    bool waits_for_place() const { return waits_; }

   private:
    friend class ConnectionPlaces;
    // It has a place now. On its loop; perhaps inside its own enter(), or inside a call that
    // another guest of its loop makes: it may end no guest here.
    virtual void on_place() = 0;
    void arrived();

    EventLoop& loop_;
    Life<Guest> stay_{*this};  // from enter() to leave()
    bool waits_ = false;

    // Guarded by the places' mutex.
    enum class Standing : std::uint8_t { Outside, Waiting, Inside };
    using Queue = std::list<Guest*>;
    Standing standing_ = Standing::Outside;
    PlaceKind kind_ = PlaceKind::Visit;
    std::uint64_t arrival_ = 0;
    Weak<Guest> watch_;
    Queue* queue_ = nullptr;  // where it stands, while it waits
    Queue::iterator at_;
  };

  explicit ConnectionPlaces(std::size_t most);
  ~ConnectionPlaces();

  // `gathered`: an upload whose body is there, or enough of it.
  void enter(Guest& guest, PlaceKind kind, bool gathered = true);
  // An upload that waits has gathered enough. Nothing if it had, or does not wait.
  void gathered(Guest& guest);
  // Somebody waits for this refresh now: it is a visit from here on. Nothing for other kinds.
  void hurry(Guest& guest);
  // Out of the queue or out of its place. Nothing if it was outside.
  void leave(Guest& guest);

  struct Figures {
    std::size_t most = 0;
    std::size_t taken = 0;
    std::size_t waiting = 0;  // refreshes included
  };
  Figures figures() const;
  // Whether a client waits. A hint: it may be over.
  bool crowded() const { return clients_.load(std::memory_order_relaxed) > 0; }

 private:
  using Queue = Guest::Queue;
  using Granted = std::vector<Guest*>;
  static constexpr std::size_t kKinds = 3;

  std::size_t& used(PlaceKind kind) { return used_[static_cast<std::size_t>(kind)]; }
  bool has_room(PlaceKind kind) { return used(kind) < most_of_[static_cast<std::size_t>(kind)]; }
  void stand_locked(Guest& guest, Queue& queue);
  void unqueue_locked(Guest& guest);
  Guest* next_locked();
  Granted grant_locked(const EventLoop& here);
  static void tell(const Granted& granted);

  const std::array<std::size_t, kKinds> most_of_;

  mutable std::mutex mutex_;  // guards everything below; also what guests say of themselves
  std::size_t free_;
  std::array<std::size_t, kKinds> used_{};
  std::uint64_t arrivals_ = 0;
  // By arrival, but for those who change their queue: they come last in the new one.
  Queue visits_;
  Queue uploads_;
  Queue gathering_;
  Queue refreshes_;
  std::atomic<std::size_t> clients_{0};  // in all but refreshes_; written under mutex_
};

}  // namespace weir::upstream
