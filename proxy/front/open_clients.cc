#include "proxy/front/open_clients.h"

#include <utility>

#include "base/check.h"

namespace weir::front {

OpenClients::Spent::Spent(OpenClients& clients, EventLoop& loop, EventLoop::Task end)
    : clients_(clients), loop_(loop), end_(std::move(end)) {
  const std::lock_guard lock(clients_.mutex_);
  place_ = clients_.spent_.insert(clients_.spent_.end(), this);
}

OpenClients::Spent::~Spent() {
  const std::lock_guard lock(clients_.mutex_);
  if (place_) clients_.spent_.erase(*place_);
}

bool OpenClients::enter(std::uint32_t most) {
  const std::lock_guard lock(mutex_);
  if (count_ >= most) {
    if (spent_.empty()) return false;
    // Under the lock: the loop is there for as long as its clients stand in the list.
    Spent& longest = *spent_.front();
    spent_.pop_front();
    longest.place_.reset();
    longest.loop_.post([watch = longest.watch_] {
      if (Spent* const spent = watch.get()) std::exchange(spent->end_, nullptr)();
    });
  }
  ++count_;
  return true;
}

void OpenClients::leave() {
  const std::lock_guard lock(mutex_);
  WEIR_CHECK(count_ > 0);
  --count_;
}

std::uint32_t OpenClients::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace weir::front
