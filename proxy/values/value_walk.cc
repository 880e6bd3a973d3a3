#include "proxy/values/value_walk.h"

#include <utility>

#include "cachekeys/key.h"

namespace weir::values {

ValueWalk::ValueWalk(EventLoop& loop, backends::Store& store, std::uint64_t from, Visit visit)
    : loop_(loop), store_(store), from_(from), visit_(std::move(visit)) {
  ask_later();
}

void ValueWalk::ask_later() {
  loop_.post([weak = life_.watch()] {
    if (ValueWalk* const walk = weak.get()) walk->ask();
  });
}

void ValueWalk::ask() {
  backends::Listing listing = store_.list(keys::kValueKeyVersion, from_, *this);
  if (listing.part) return on_listed(std::move(*listing.part));
  pending_ = std::move(listing.pending);
}

void ValueWalk::on_listed(backends::ListPart part) {
  const std::uint64_t began = from_;
  const auto next = part.next;
  from_ = next.value_or(0);
  const Visit visit = visit_;  // which may end with this object
  if (visit(began, std::move(part)) && next) ask_later();
}

}  // namespace weir::values
