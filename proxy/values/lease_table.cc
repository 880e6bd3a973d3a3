#include "proxy/values/lease_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/random.h"

namespace weir::values {

// Guarded by the table's lock but for what is constant.
struct LeaseTicket::Place {
  const std::string name;
  const std::int64_t lease_ms;
  const std::uint64_t seq;
  const std::shared_ptr<LoopDoor> door;
  const Weak<LeaseWaiter> who;
  bool waits = true;
  News news = News::None;
  Lease lease = {};
  std::int64_t until_ms = 0;
  std::int64_t given_ms = 0;
};

// ---- LeaseTicket ----

LeaseTicket::LeaseTicket(LeaseTable& table, std::shared_ptr<Place> place)
    : table_(table), place_(std::move(place)) {}

LeaseTicket::~LeaseTicket() {
  table_.leave(place_);
}

LeaseTicket::News LeaseTicket::take(Lease& lease) {
  const std::lock_guard lock(table_.mutex_);
  const News news = std::exchange(place_->news, News::None);
  if (news == News::Yours) lease = std::move(place_->lease);
  return news;
}

std::int64_t LeaseTicket::until_ms() const {
  const std::lock_guard lock(table_.mutex_);
  return place_->until_ms;
}

// ---- LeaseTable ----

Lease LeaseTable::new_lease(std::int64_t now_ms, std::int64_t lease_ms, std::uint64_t seq) {
  return {fmt::format("{:016x}{:016x}", random_number(), random_number()), now_ms + lease_ms, seq};
}

// Looks through all of them, so not more often than once a second.
void LeaseTable::drop_leases_that_are_over(std::int64_t now_ms) {
  constexpr std::int64_t kPause_ms = 1'000;
  if (now_ms < next_drop_ms_) return;
  next_drop_ms_ = now_ms + kPause_ms;
  std::erase_if(held_, [now_ms](const HeldMap::value_type& entry) {
    return entry.second.lease.until_ms <= now_ms && entry.second.waiting.empty();
  });
}

LeaseTable::Asked LeaseTable::ask(const std::string& name, const Asking& asking) {
  const std::lock_guard lock(mutex_);
  auto held = held_.find(name);
  const bool is_over = held != held_.end() && held->second.lease.until_ms <= asking.now_ms;
  if (is_over) {
    give_to_next(held, asking.now_ms);  // who has waited is first
    held = held_.find(name);
  }
  if (held == held_.end()) {
    if (held_.size() >= kMostLeases) drop_leases_that_are_over(asking.now_ms);
    if (held_.size() >= kMostLeases) return {};
    Held& made = held_[name];
    made.lease = new_lease(asking.now_ms, asking.lease_ms, asking.seq);
    return {.lease = made.lease, .ticket = nullptr};
  }
  if (nobody_waits_) return {.lease = std::nullopt, .ticket = nullptr, .nobody_waits = true};
  if (!asking.may_wait || waiters_ >= kMostWaiters) return {};
  auto place = std::make_shared<LeaseTicket::Place>(name, asking.lease_ms, asking.seq, asking.door,
                                                    asking.who);
  place->until_ms = held->second.lease.until_ms;
  held->second.waiting.push_back(place);
  ++waiters_;
  return {.lease = std::nullopt,
          .ticket = std::unique_ptr<LeaseTicket>(new LeaseTicket(*this, std::move(place)))};
}

std::optional<Lease> LeaseTable::held(const std::string& name, std::string_view token,
                                      std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  const auto held = held_.find(name);
  if (held == held_.end() || held->second.lease.token != token) return std::nullopt;
  return held->second.lease.until_ms > now_ms ? std::optional(held->second.lease) : std::nullopt;
}

void LeaseTable::set(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto held = held_.find(name);
  if (held != held_.end()) end(held);
}

bool LeaseTable::fail(const std::string& name, std::string_view token, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  const auto held = held_.find(name);
  if (held == held_.end() || held->second.lease.token != token) return false;
  give_to_next(held, now_ms);
  return true;
}

void LeaseTable::expire(const std::string& name, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  const auto held = held_.find(name);
  if (held != held_.end() && held->second.lease.until_ms <= now_ms) give_to_next(held, now_ms);
}

void LeaseTable::void_if(const std::function<bool(std::string_view name)>& is_cleared) {
  const std::lock_guard lock(mutex_);
  for (auto held = held_.begin(); held != held_.end();) {
    const auto next = std::next(held);
    if (is_cleared(held->first)) end(held);
    held = next;
  }
}

std::unique_lock<std::mutex> LeaseTable::lock_for_set(std::string_view name) {
  return std::unique_lock(set_locks_[std::hash<std::string_view>{}(name) % kSetLocks]);
}

void LeaseTable::end_waiting() {
  const std::lock_guard lock(mutex_);
  nobody_waits_ = true;
  for (auto& [name, held] : held_) have_all_look(held);
}

bool LeaseTable::nobody_waits() {
  const std::lock_guard lock(mutex_);
  return nobody_waits_;
}

std::size_t LeaseTable::waiters() {
  const std::lock_guard lock(mutex_);
  return waiters_;
}

void LeaseTable::tell(const PlaceRef& place, LeaseTicket::News news) {
  place->news = news;
  place->door->post([who = place->who] {
    if (LeaseWaiter* const waiting = who.get()) waiting->lease_news();
  });
}

// With nobody who waits the lease is merely over. The others' time is the new holder's.
void LeaseTable::give_to_next(HeldMap::iterator held, std::int64_t now_ms) {
  Held& of = held->second;
  if (of.waiting.empty()) {
    held_.erase(held);
    return;
  }
  const PlaceRef next = std::move(of.waiting.front());
  of.waiting.pop_front();
  --waiters_;
  next->waits = false;
  of.lease = new_lease(now_ms, next->lease_ms, next->seq);
  next->lease = of.lease;
  next->given_ms = now_ms;
  for (const PlaceRef& place : of.waiting) place->until_ms = of.lease.until_ms;
  tell(next, LeaseTicket::News::Yours);
}

void LeaseTable::have_all_look(Held& held) {
  for (const PlaceRef& place : held.waiting) {
    place->waits = false;
    --waiters_;
    tell(place, LeaseTicket::News::Look);
  }
  held.waiting.clear();
}

// All who wait look again.
void LeaseTable::end(HeldMap::iterator held) {
  have_all_look(held->second);
  held_.erase(held);
}

void LeaseTable::leave(const PlaceRef& place) {
  const std::lock_guard lock(mutex_);
  const auto held = held_.find(place->name);
  if (held == held_.end()) return;
  if (place->waits) {
    waiters_ -= std::erase(held->second.waiting, place);
    return;
  }
  const bool was_given = place->news == LeaseTicket::News::Yours;
  if (was_given && held->second.lease.token == place->lease.token) {
    give_to_next(held, place->given_ms);
  }
}

}  // namespace weir::values
