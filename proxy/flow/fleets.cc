#include "proxy/flow/fleets.h"

#include <algorithm>
#include <utility>

#include "cachekeys/tags.h"
#include "proxy/flow/fleet_entry.h"

namespace weir::flow {
namespace {

// Whether this thread marks what a fleet has told: that is not told again.
thread_local bool is_applying = false;

class Applying {
 public:
  Applying() { is_applying = true; }
  ~Applying() { is_applying = false; }
  Applying(const Applying&) = delete;
  Applying& operator=(const Applying&) = delete;
};

// Of all that comes from a backend's server. No app's tag begins with a control byte.
std::uint64_t tag_of(const std::string& backend) {
  return keys::tag_hash("\x01shared:" + backend);
}

// Of a tag that nothing has: marking it is a new position, and no more.
std::uint64_t nobodys_tag() {
  return keys::tag_hash("\x01nobody");
}

// One answer of several.
struct Gathered {
  std::mutex mutex;
  std::size_t missing = 0;
  Fleets::Applied sum{.logged = true, .confirmed = true, .all_known = true, .live = 0, .acked = 0};
  std::move_only_function<void(Fleets::Applied)> tell;

  void add(const Fleets::Applied& one) {
    std::unique_lock lock(mutex);
    sum.logged = sum.logged && one.logged;
    sum.confirmed = sum.confirmed && one.confirmed;
    sum.all_known = sum.all_known && one.all_known;
    sum.live += one.live;
    sum.acked += one.acked;
    if (--missing > 0) return;
    lock.unlock();
    tell(sum);
  }
};

}  // namespace

Fleets::Fleets(PurgeBook& book) : book_(book) {
  book_.set_fleet(this);
}

Fleets::~Fleets() {
  book_.set_fleet(nullptr);
}

std::unique_ptr<Fleets::Member> Fleets::join(EventLoop& loop, Resolver& resolver,
                                             backends::redis::FleetLogOptions options) {
  options.tag = tag_of(options.backend);
  return std::make_unique<Member>(*this, loop, resolver, options);
}

bool Fleets::empty() const {
  const std::lock_guard lock(mutex_);
  return logs_.empty();
}

void Fleets::append(const Mark& mark) {
  if (is_applying) return;
  const std::lock_guard lock(mutex_);
  if (logs_.empty()) return;
  const std::string entry = fleet_entry(mark);
  for (backends::redis::FleetLog* const log : logs_) log->append(entry);
}

void Fleets::when_applied(std::move_only_function<void(Applied)> tell) {
  const auto gathered = std::make_shared<Gathered>();
  gathered->tell = std::move(tell);
  std::unique_lock lock(mutex_);
  gathered->missing = logs_.size();
  if (logs_.empty()) {
    lock.unlock();
    return gathered->tell({.logged = true});
  }
  for (backends::redis::FleetLog* const log : logs_) {
    log->when_applied([gathered](const Applied& one) { gathered->add(one); });
  }
}

// ---- Member ----

Fleets::Member::Member(Fleets& fleets, EventLoop& loop, Resolver& resolver,
                       const backends::redis::FleetLogOptions& options)
    : fleets_(fleets), tag_(options.tag), log_(loop, resolver, options, *this) {
  const std::lock_guard lock(fleets_.mutex_);
  fleets_.logs_.push_back(&log_);
}

Fleets::Member::~Member() {
  const std::lock_guard lock(fleets_.mutex_);
  std::erase(fleets_.logs_, &log_);
}

void Fleets::Member::retire() {
  {
    const std::lock_guard lock(fleets_.mutex_);
    std::erase(fleets_.logs_, &log_);
  }
  log_.leave();
}

std::uint64_t Fleets::Member::apply(std::string_view entry) {
  const Applying applying;
  apply_entry(entry, fleets_.book_);
  return fleets_.book_.position();
}

std::uint64_t Fleets::Member::step() {
  const Applying applying;
  return fleets_.book_.mark_tag(nobodys_tag(), true);
}

std::uint64_t Fleets::Member::drop_own() {
  const Applying applying;
  return fleets_.book_.mark_all();
}

std::string Fleets::Member::all_is_stale() const {
  return stale_tag_entry(tag_);
}

std::string Fleets::Member::all_is_dead() const {
  return fleet_entry({.kind = Mark::Kind::All});
}

void Fleets::Member::take_over(const Member& before) {
  for (std::string& entry : before.log_.pending()) log_.append(std::move(entry));
}

}  // namespace weir::flow
