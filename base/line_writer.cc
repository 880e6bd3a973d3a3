#include "base/line_writer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace weir {
namespace {

constexpr auto kLastWords = std::chrono::seconds(1);

// All of it, however long it takes; what cannot be written goes nowhere.
void write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::write(descriptor, bytes.data(), bytes.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

struct LineWriter::State {
  const int descriptor;
  const std::size_t most_waiting;
  std::mutex mutex;
  std::condition_variable changed;
  std::string waiting;        // guarded by mutex, as the next
  std::uint64_t missing = 0;  // lines, behind what waits
  bool is_writing = false;
  bool is_ending = false;

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return !waiting.empty() || is_ending; });
      if (waiting.empty()) return;
      const std::string bytes = std::exchange(waiting, {});
      is_writing = true;
      lock.unlock();
      write_all(descriptor, bytes);
      lock.lock();
      is_writing = false;
      changed.notify_all();
    }
  }
};

// Signals are for the threads that wait for them.
LineWriter::LineWriter(int descriptor, std::size_t most_waiting)
    : state_(std::make_shared<State>(descriptor, most_waiting)) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([state = state_] { state->run(); }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LineWriter::~LineWriter() {
  std::unique_lock lock(state_->mutex);
  state_->is_ending = true;
  state_->changed.notify_all();
  state_->changed.wait_for(lock, kLastWords,
                           [this] { return state_->waiting.empty() && !state_->is_writing; });
}

void LineWriter::write(std::string_view line) {
  const std::lock_guard lock(state_->mutex);
  std::string text;
  if (state_->missing > 0) {
    text =
        fmt::format("lines left out here, since nobody read them in time: {}\n", state_->missing);
  }
  text += line;
  if (state_->waiting.size() + text.size() > state_->most_waiting) {
    ++state_->missing;
    return;
  }
  state_->missing = 0;
  state_->waiting += text;
  state_->changed.notify_all();
}

}  // namespace weir
