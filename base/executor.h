// Where work goes that may block or take long: calls of the file system, checksums of large bodies.
// A few threads of the process share one queue; no loop ever waits for them. Where a processor is
// wanted by both, they come after the loops.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace weir {

class Executor {
 public:
  using Task = std::move_only_function<void()>;

  virtual ~Executor() = default;
  // Any thread. Tasks are begun in the order in which they came, and end in any. A task may add
  // others. None is run inside of this call: who calls may hold a lock that the task takes, as
  // SerialTasks does. Nothing here bounds how many wait: that is for those who add them.
  virtual void run(Task task) = 0;
};

class ThreadPool final : public Executor {
 public:
  explicit ThreadPool(std::size_t threads);
  // Runs what is queued, what that adds included, and ends the threads.
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void run(Task task) override;

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<Task> tasks_;
  std::size_t busy_ = 0;  // threads that run a task, which may add others
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

// Tasks that must not overlap, one after the other in their order, on whatever thread of the
// executor, which outlives it.
class SerialTasks {
 public:
  explicit SerialTasks(Executor& executor) : executor_(executor) {}
  // Waits until all have run, those included that they add: never on a thread of the executor.
  ~SerialTasks();
  SerialTasks(const SerialTasks&) = delete;
  SerialTasks& operator=(const SerialTasks&) = delete;

  // Any thread.
  void run(Executor::Task task);
  bool idle();
  // Until idle() is true. As the destructor.
  void wait();

 private:
  void next();

  Executor& executor_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::deque<Executor::Task> tasks_;
  bool running_ = false;
};

}  // namespace weir
