// The bound on one loop's connections to the app, and the queue for it: first come, first served.
// Loop thread only; outlives its guests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>

namespace weir::upstream {

class ConnectionPlaces {
 public:
  // Who wants a place. Leaves before it goes, or goes together with the places.
  class Guest {
   public:
    virtual ~Guest() = default;
    bool waits_for_place() const { return state_ == State::Waiting; }

   private:
    friend class ConnectionPlaces;
    enum class State : std::uint8_t { Outside, Waiting, Inside };
    // It has a place now. Inside its own enter() or another's leave(): it may end nothing here.
    virtual void on_place() = 0;
    State state_ = State::Outside;
    std::list<Guest*>::iterator at_;  // while it waits
  };

  explicit ConnectionPlaces(std::size_t most) : most_(most), free_(most) {}

  void enter(Guest& guest);
  // Out of the queue or out of its place, which goes to the next. Nothing if it was outside.
  void leave(Guest& guest);

 private:
  const std::size_t most_;
  std::size_t free_;
  std::list<Guest*> queue_;
};

}  // namespace weir::upstream
