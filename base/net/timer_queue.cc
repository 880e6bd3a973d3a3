#include "base/net/timer_queue.h"

#include "base/check.h"
#include "base/net/timer.h"

namespace weir {

bool TimerQueue::before(const Item& a, const Item& b) {
  return a.due_us != b.due_us ? a.due_us < b.due_us : a.number < b.number;
}

void TimerQueue::start(Timer& timer, std::int64_t due_us) {
  if (timer.place_ == Timer::kNowhere) {
    timer.place_ = heap_.size();
    heap_.emplace_back();
  }
  settle(timer.place_, {due_us, next_number_++, &timer});
}

void TimerQueue::stop(Timer& timer) {
  if (timer.place_ == Timer::kNowhere) return;
  const std::size_t hole = timer.place_;
  WEIR_CHECK(hole < heap_.size() && heap_[hole].timer == &timer);
  timer.place_ = Timer::kNowhere;
  const Item last = heap_.back();
  heap_.pop_back();
  if (hole < heap_.size()) settle(hole, last);
}

Timer* TimerQueue::take_due(std::int64_t now_us) {
  if (heap_.empty()) return nullptr;
  const Item& first = heap_.front();
  // One that was started in this turn also holds back those behind it, for the sake of the order.
  if (first.due_us > now_us || first.number >= turn_began_at_) return nullptr;
  Timer* const timer = first.timer;
  stop(*timer);
  return timer;
}

void TimerQueue::put(std::size_t place, const Item& item) {
  heap_[place] = item;
  item.timer->place_ = place;
}

// What stands at `place` is of no account; the item goes there, or where it belongs.
void TimerQueue::settle(std::size_t place, const Item& item) {
  if (place > 0 && before(item, heap_[(place - 1) / 2])) {
    rise(place, item);
  } else {
    sink(place, item);
  }
}

void TimerQueue::rise(std::size_t place, const Item& item) {
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (!before(item, heap_[parent])) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, item);
}

void TimerQueue::sink(std::size_t place, const Item& item) {
  for (;;) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], item)) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, item);
}

}  // namespace weir
