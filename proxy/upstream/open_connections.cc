#include "proxy/upstream/open_connections.h"

#include "base/check.h"

namespace weir::upstream {

OpenConnections::Holder::Holder(OpenConnections& all, EventLoop& loop) : all_(all), loop_(loop) {
  const std::lock_guard lock(all_.mutex_);
  all_.holders_.push_back(this);
}

OpenConnections::Holder::~Holder() {
  life_.end();
  const std::lock_guard lock(all_.mutex_);
  std::erase(all_.holders_, this);
}

void OpenConnections::Holder::opened() {
  all_.open_.fetch_add(1, std::memory_order_relaxed);
  give_way();
}

void OpenConnections::Holder::closed(std::size_t count) {
  const std::size_t before = all_.open_.fetch_sub(count, std::memory_order_relaxed);
  WEIR_CHECK(before >= count);
}

// Its own first: that one goes at once.
void OpenConnections::Holder::give_way() {
  if (all_.too_many() && !close_idle()) all_.ask_another(*this);
}

// The one with the most. It may have none left when it hears of it, and asks on: whatever is too
// much is idle somewhere.
void OpenConnections::ask_another(const Holder& but) {
  const std::lock_guard lock(mutex_);
  Holder* richest = nullptr;
  std::size_t most_idle = 0;
  for (Holder* const holder : holders_) {
    const std::size_t idle = holder->idle();
    if (holder == &but || idle <= most_idle) continue;
    richest = holder;
    most_idle = idle;
  }
  if (richest == nullptr) return;
  richest->loop_.post([watch = richest->watch_] {
    if (Holder* const holder = watch.get()) holder->give_way();
  });
}

}  // namespace weir::upstream
