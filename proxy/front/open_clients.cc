#include "proxy/front/open_clients.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace weir::front {

bool OpenClients::enter(std::uint32_t most) {
  const std::lock_guard lock(mutex_);
  if (count_ >= most) {
    if (spent_.empty()) return false;
    // Under the lock: the loop is there for as long as its clients stand in the list.
    const Spent& oldest = spent_.front();
    oldest.loop->post([holder = oldest.holder] {
      if (SpentClients* clients = holder.get()) clients->end_a_spent_one();
    });
    spent_.pop_front();
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

void OpenClients::add_spent(EventLoop& loop, Weak<SpentClients> holder) {
  const std::lock_guard lock(mutex_);
  spent_.push_back({&loop, std::move(holder)});
}

bool OpenClients::remove_spent(const Weak<SpentClients>& holder) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(spent_, holder, &Spent::holder);
  if (found == spent_.end()) return false;
  spent_.erase(found);
  return true;
}

}  // namespace weir::front
