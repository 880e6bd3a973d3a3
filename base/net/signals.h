// Unix signals as events of one loop. The signals must be blocked in every thread
// (block_signals, before the first thread is made), or they act as usual.
#pragma once

#include <functional>
#include <initializer_list>

#include "base/net/fd_event.h"
#include "base/net/listener.h"

namespace weir {

void block_signals(std::initializer_list<int> signals);

class SignalWatcher final : public FdHandler {
 public:
  SignalWatcher(EventLoop& loop, std::initializer_list<int> signals,
                std::function<void(int signal)> callback);
  ~SignalWatcher() override;

  void on_fd(bool readable, bool writable) override;

 private:
  Fd fd_;
  FdEvent event_;
  std::function<void(int)> callback_;
};

}  // namespace weir
