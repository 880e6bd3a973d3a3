// A way to a loop for those who may outlive it: tasks of an executor, above all. Made and closed on
// the loop's side, before the loop ends; any thread may post until then and after.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "base/net/event_loop.h"

namespace weir {

class LoopDoor {
 public:
  explicit LoopDoor(EventLoop& loop) : loop_(&loop) {}

  // As the loop's own post(); once the door is closed, the task is dropped.
  void post(EventLoop::Task task) {
    const std::lock_guard lock(mutex_);
    if (loop_) loop_->post(std::move(task));
  }
  void close() {
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
  }

 private:
  std::mutex mutex_;
  EventLoop* loop_;  // guarded by mutex_
};

}  // namespace weir
