// A gate that the origin's threads come to and that the test opens: how a test holds an answer back
// until everything else is in place, instead of sleeping. A copy is the same gate. Any thread.
#pragma once

#include <memory>
#include <stop_token>

#include "tests/support/wait.h"

namespace weir::test {

class Gate {
 public:
  Gate();

  // Lets everybody through, from now on.
  void open() const;
  // Blocks until the gate is open; false when `stop` was requested first.
  bool pass(const std::stop_token& stop) const;
  // How many have come so far, passed or not.
  int arrivals() const;
  // Waits until `count` have come. Throws TimedOut.
  void await_arrivals(int count) const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared: a thread may still stand at it when the test has ended
};

}  // namespace weir::test
