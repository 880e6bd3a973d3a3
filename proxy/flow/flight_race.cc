// Who brings a flight its answer, where two fetches look for it.
#include <algorithm>
#include <utility>

#include "proxy/flow/flight.h"

namespace weir::flow {
namespace {

std::size_t at(Runner runner) {
  return static_cast<std::size_t>(runner);
}

Runner other_than(Runner runner) {
  return runner == Runner::First ? Runner::Second : Runner::First;
}

}  // namespace

void Flight::enter_race(Runner runner, Waker waker) {
  const std::lock_guard lock(mutex_);
  if (winner_ && *winner_ != runner) return waker.wake();  // it was over before this one had begun
  runners_[at(runner)] = std::move(waker);
}

bool Flight::begin_second(Reader& reader) {
  const std::lock_guard lock(mutex_);
  if (state_.phase != Phase::Waiting || winner_ || second_begun_) return false;
  second_begun_ = true;
  running_[at(Runner::Second)] = true;
  reader.leads = Runner::Second;
  return true;
}

bool Flight::win(Runner runner) {
  const std::lock_guard lock(mutex_);
  if (winner_) return *winner_ == runner;
  winner_ = runner;
  state_.from = runner;
  const Runner loser = other_than(runner);
  if (running_[at(loser)]) set_apart_locked(loser);
  running_[at(loser)] = false;
  std::exchange(runners_[at(loser)], {}).wake();
  return true;
}

bool Flight::leave_race(Runner runner, bool app_failed) {
  const std::lock_guard lock(mutex_);
  if (winner_) return *winner_ != runner;
  if (!running_[at(other_than(runner))]) return false;
  running_[at(runner)] = false;
  runners_[at(runner)] = {};
  if (app_failed) {
    app_failed_ = true;
    set_apart_locked(runner);
    wake_readers_locked();  // who has a copy need not wait for the other, nor who leads this one
  }
  return true;
}

// Keeps a place on the new flight for the one who leads the runner, so that it is not unread.
void Flight::set_apart_locked(Runner runner) {
  const auto leader = std::ranges::find_if(
      readers_, [runner](const auto& reader) { return reader->leads == runner; });
  if (leader == readers_.end()) return;
  Ref<Flight> own = make_ref<Flight>(budget_, seq_);  // that nobody else knows yet
  own->readers_.push_back(std::make_unique<Reader>());
  (*leader)->place_there = own->readers_.front().get();
  (*leader)->own = own;
  apart_[at(runner)] = std::move(own);
}

Ref<Flight> Flight::take_apart(Runner runner) {
  const std::lock_guard lock(mutex_);
  return std::exchange(apart_[at(runner)], nullptr);
}

Flight::Own Flight::take_own(Reader& reader) {
  const std::lock_guard lock(mutex_);
  return {std::exchange(reader.own, nullptr), std::exchange(reader.place_there, nullptr)};
}

void Flight::occupy(Reader& place, Waker waker) {
  const std::lock_guard lock(mutex_);
  place.leads = Runner::First;
  place.waker = std::move(waker);
  if (state_.phase != Phase::Waiting) place.waker.wake();
}

bool Flight::has_lost(Runner runner) {
  const std::lock_guard lock(mutex_);
  return winner_ && *winner_ != runner;
}

bool Flight::app_failed() {
  const std::lock_guard lock(mutex_);
  return app_failed_;
}

Ref<Flight> Flight::successor(keys::KeyView name) {
  const std::lock_guard lock(mutex_);
  return successor_name_ == name.bytes ? successor_ : nullptr;
}

void Flight::set_successor(keys::KeyView name, const Ref<Flight>& next) {
  const std::lock_guard lock(mutex_);
  if (successor_) return;
  successor_ = next;
  successor_name_ = name.bytes;
}

void Flight::wake_runners_locked() {
  for (const Waker& runner : runners_) runner.wake();
}

void Flight::forget_runners_locked() {
  runners_ = {};
}

}  // namespace weir::flow
