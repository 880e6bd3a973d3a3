// How somebody who holds a pointer across a call, or across a turn of the loop, finds out whether
// the object is still there and still doing what the pointer was taken for. The one idiom for it:
// posted tasks, callbacks that may destroy their caller, and handles that outlive what they name.
//
// A class has a member Life<itself> and hands out Weak pointers. All of them read null once the
// Life has ended: with its object, or earlier, by end(), when what they were handed out for is
// over. Weak pointers may be copied and dropped by any thread; get() and everything of Life are
// for the object's own thread.
#pragma once

#include "base/ref_counted.h"

namespace weir {

template <class T>
class Life;

template <class T>
class Weak {
 public:
  Weak() = default;

  // Null when it is over.
  T* get() const { return cell_ ? cell_->target : nullptr; }
  explicit operator bool() const { return get() != nullptr; }
  // Of one life; it may be over.
  friend bool operator==(const Weak& a, const Weak& b) { return a.cell_ == b.cell_; }

 private:
  friend class Life<T>;
  struct Cell : RefCounted<Cell> {
    explicit Cell(T* object) : target(object) {}
    T* target;
  };
  explicit Weak(Ref<Cell> cell) : cell_(std::move(cell)) {}

  Ref<Cell> cell_;
};

template <class T>
class Life {
 public:
  explicit Life(T& owner) : owner_(owner) {}
  ~Life() { end(); }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  // Allocates at most once until the next end(), and not even then when nobody holds what was
  // handed out before: an object that is used again and again allocates once.
  Weak<T> watch() {
    // Over, and the one reference left is our own: nobody else is there to raise the count.
    if (cell_ && !cell_->target && cell_.use_count() == 1) cell_->target = &owner_;
    if (!cell_ || !cell_->target) cell_ = make_ref<typename Weak<T>::Cell>(&owner_);
    return Weak<T>(cell_);
  }
  // What was handed out so far reads null from now on; what is handed out later is new.
  void end() {
    if (cell_) cell_->target = nullptr;
  }

 private:
  T& owner_;
  Ref<typename Weak<T>::Cell> cell_;
};

}  // namespace weir
