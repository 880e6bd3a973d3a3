#include "tests/support/gate.h"

#include <condition_variable>
#include <mutex>

namespace weir::test {

struct Gate::State {
  std::mutex mutex;
  std::condition_variable_any changed;
  bool is_open = false;  // guarded by mutex
  int arrivals = 0;      // guarded by mutex
};

Gate::Gate() : state_(std::make_shared<State>()) {}

void Gate::open() const {
  const std::lock_guard lock(state_->mutex);
  state_->is_open = true;
  state_->changed.notify_all();
}

bool Gate::pass(const std::stop_token& stop) const {
  const std::shared_ptr<State> state = state_;
  std::unique_lock lock(state->mutex);
  ++state->arrivals;
  state->changed.notify_all();
  return state->changed.wait(lock, stop, [&] { return state->is_open; });
}

int Gate::arrivals() const {
  const std::lock_guard lock(state_->mutex);
  return state_->arrivals;
}

void Gate::await_arrivals(int count) const {
  std::unique_lock lock(state_->mutex);
  const bool came =
      state_->changed.wait_until(lock, Deadline().at(), [&] { return state_->arrivals >= count; });
  if (!came)
    throw TimedOut(std::to_string(state_->arrivals) + " of " + std::to_string(count) +
                   " came to the gate");
}

}  // namespace weir::test
