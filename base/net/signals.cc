#include "base/net/signals.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "base/check.h"

namespace weir {
namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

int open_signalfd(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  WEIR_CHECK(fd >= 0);
  return fd;
}

}  // namespace

void block_signals(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  WEIR_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
}

SignalWatcher::SignalWatcher(EventLoop& loop, std::initializer_list<int> signals,
                             std::function<void(int)> callback)
    : fd_(open_signalfd(signals)), event_(loop, fd_.get(), *this), callback_(std::move(callback)) {
  event_.want(true, false);
}

SignalWatcher::~SignalWatcher() {
  event_.want(false, false);
}

void SignalWatcher::on_fd(bool, bool) {
  signalfd_siginfo info{};
  while (read(fd_.get(), &info, sizeof info) == sizeof info) {
    callback_(static_cast<int>(info.ssi_signo));
  }
}

}  // namespace weir
