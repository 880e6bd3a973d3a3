// The timers of one loop by the time they are due: a binary heap of pointers to them. Starting,
// stopping and taking out cost O(log n); memory is only asked for when more timers run at once
// than ever before. Knows no clock and wakes nobody: that is the loop's part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir {

class Timer;

class TimerQueue {
 public:
  static constexpr std::int64_t kNever = INT64_MAX;

  // Puts the timer in, or moves it when it is in.
  void start(Timer& timer, std::int64_t due_us);
  // Takes it out, if it is in.
  void stop(Timer& timer);

  bool empty() const { return heap_.empty(); }
  // When the first one is due; kNever when none runs.
  std::int64_t next_us() const { return heap_.empty() ? kNever : heap_.front().due_us; }

  // Timers started from here on are not taken out before the next begin_turn().
  void begin_turn() { turn_began_at_ = next_number_; }
  // Takes out the first timer if it is due at `now_us`; null when none is. Those due at the same
  // time come in the order of their starts.
  Timer* take_due(std::int64_t now_us);

 private:
  struct Item {
    std::int64_t due_us;
    std::uint64_t number;  // which start it was
    Timer* timer;
  };
  static bool before(const Item& a, const Item& b);
  void put(std::size_t place, const Item& item);
  void rise(std::size_t place, const Item& item);
  void sink(std::size_t place, const Item& item);
  void settle(std::size_t place, const Item& item);

  std::vector<Item> heap_;
  std::uint64_t next_number_ = 0;
  std::uint64_t turn_began_at_ = 0;
};

}  // namespace weir
