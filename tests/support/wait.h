// Waiting without sleeping: every wait in the tests has an end in sight and blocks in poll(2), on a
// condition variable or at a gate. Any thread.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>

namespace weir::test {

// Long enough for a sanitized build on a busy machine; only failing tests ever wait so long.
inline constexpr std::chrono::milliseconds kPatience{20'000};

// What did not come in time. GoogleTest reports it as the test's failure.
struct TimedOut : std::runtime_error {
  explicit TimedOut(const std::string& what) : std::runtime_error("timed out: " + what) {}
};

// A point in time that an operation must not pass.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds patience = kPatience)
      : at_(std::chrono::steady_clock::now() + patience) {}
  // For threads that are ended from outside.
  static Deadline never() { return Deadline(std::chrono::hours(24)); }

  bool passed() const { return remaining_ms() == 0; }
  int remaining_ms() const;
  std::chrono::steady_clock::time_point at() const { return at_; }

 private:
  std::chrono::steady_clock::time_point at_;
};

// Blocks in poll(2) for a moment, with nothing to wait for but time.
void pause_briefly(std::chrono::milliseconds time = std::chrono::milliseconds(5));

// Asks again and again until `condition` holds; false when patience ends.
template <class Condition>
bool eventually(Condition&& condition, std::chrono::milliseconds patience = kPatience) {
  const Deadline deadline(patience);
  while (!condition()) {
    if (deadline.passed()) return false;
    pause_briefly();
  }
  return true;
}

}  // namespace weir::test
