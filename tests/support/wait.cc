#include "tests/support/wait.h"

#include <poll.h>

#include <algorithm>

namespace weir::test {

int Deadline::remaining_ms() const {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(at_ - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

void pause_briefly(std::chrono::milliseconds time) {
  poll(nullptr, 0, static_cast<int>(time.count()));
}

}  // namespace weir::test
