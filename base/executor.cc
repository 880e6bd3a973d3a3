#include "base/executor.h"

#include <sys/resource.h>

#include <utility>

#include "base/check.h"

namespace weir {
namespace {

// Among the loops and for the same processor, these get about a third of what a loop gets, and none
// of their turns keeps one waiting for as long as it takes to write or to free megabytes. So many
// steps behind who made them; Linux keeps this for each thread.
constexpr int kNiceSteps = 5;

void step_behind() {
  const int now = getpriority(PRIO_PROCESS, 0);
  setpriority(PRIO_PROCESS, 0, now + kNiceSteps);  // 19 is the last, and refused to nobody
}

}  // namespace

// ---- ThreadPool ----

ThreadPool::ThreadPool(std::size_t threads) {
  WEIR_CHECK(threads > 0);
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  news_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::run(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  news_.notify_one();
}

void ThreadPool::work() {
  step_behind();
  std::unique_lock lock(mutex_);
  while (true) {
    news_.wait(lock, [this] { return !tasks_.empty() || (ending_ && busy_ == 0); });
    if (tasks_.empty()) break;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    ++busy_;
    lock.unlock();
    task();
    task = nullptr;  // what it holds goes outside of the lock, and before it counts as ended
    lock.lock();
    --busy_;
    if (ending_ && busy_ == 0) news_.notify_all();
  }
}

// ---- SerialTasks ----

SerialTasks::~SerialTasks() {
  wait();
}

void SerialTasks::wait() {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return !running_; });
}

void SerialTasks::run(Executor::Task task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  if (std::exchange(running_, true)) return;
  executor_.run([this] { next(); });
}

bool SerialTasks::idle() {
  const std::lock_guard lock(mutex_);
  return !running_;
}

// One task a turn of the executor, so that others have theirs in between.
void SerialTasks::next() {
  Executor::Task task;
  {
    const std::lock_guard lock(mutex_);
    task = std::move(tasks_.front());
    tasks_.pop_front();
  }
  task();
  task = nullptr;
  const std::lock_guard lock(mutex_);
  if (tasks_.empty()) {
    running_ = false;
    ended_.notify_all();  // under the lock: who waits may be about to destroy this
  } else {
    executor_.run([this] { next(); });
  }
}

}  // namespace weir
