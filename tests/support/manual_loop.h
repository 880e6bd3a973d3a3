// An event loop by hand, on a clock by hand: no test waits for real time. EventLoop::turn() runs
// what is ready now; here is what lets time go by.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/net/event_loop.h"
#include "tests/support/fake_clock.h"

namespace weir::test {

// Lets `ms` go by on the loop's clock. Every timer that falls due in between fires in its order and
// at its time, those included that other timers start meanwhile. What is ready runs first, and once
// more at the end.
inline void advance_and_turn(EventLoop& loop, FakeClock& clock, std::int64_t ms) {
  const std::int64_t until_us = clock.now_us() + ms * 1000;
  loop.turn();
  while (loop.next_timer_us() <= until_us) {
    clock.advance_us(std::max<std::int64_t>(loop.next_timer_us() - clock.now_us(), 0));
    loop.turn();
  }
  clock.advance_us(until_us - clock.now_us());
  loop.turn();
}

}  // namespace weir::test
