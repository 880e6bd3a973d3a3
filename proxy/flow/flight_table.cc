#include "proxy/flow/flight_table.h"

#include "proxy/flow/purge_judge.h"

namespace weir::flow {
namespace {

bool outlives_purges(const Flight& flight, keys::KeyView key, std::uint64_t position,
                     const PurgeBook& purges) {
  return flight.seq() == position ||
         purge_verdict(purges, flight.seq(), key.bytes) == PurgeVerdict::Alive;
}

}  // namespace

FlightTable::Joined FlightTable::join(keys::KeyView key, FillBudget& budget,
                                      const PurgeBook& purges) {
  const std::uint64_t position = purges.position();
  Shard& owner = shard(key);
  const std::lock_guard lock(owner.mutex);
  Ref<Flight>& slot = owner.flights[std::string(key.bytes)];
  if (slot && slot->joinable() && outlives_purges(*slot, key, position, purges)) {
    return {slot, false};
  }
  slot = make_ref<Flight>(budget, position);
  return {slot, true};
}

bool FlightTable::rename(keys::KeyView from, keys::KeyView to, const Ref<Flight>& flight) {
  bool renamed = false;
  {
    Shard& owner = shard(to);
    const std::lock_guard lock(owner.mutex);
    renamed = owner.flights.try_emplace(std::string(to.bytes), flight).second;
  }
  remove(from, flight);
  return renamed;
}

void FlightTable::remove(keys::KeyView key, const Ref<Flight>& flight) {
  Shard& owner = shard(key);
  Ref<Flight> dropped;  // destroyed outside of the lock
  const std::lock_guard lock(owner.mutex);
  const auto found = owner.flights.find(std::string(key.bytes));
  if (found == owner.flights.end() || found->second != flight) return;
  dropped = std::move(found->second);
  owner.flights.erase(found);
}

Ref<Flight> FlightTable::find(keys::KeyView key) {
  Shard& owner = shard(key);
  const std::lock_guard lock(owner.mutex);
  const auto found = owner.flights.find(std::string(key.bytes));
  return found == owner.flights.end() ? Ref<Flight>() : found->second;
}

std::size_t FlightTable::size() {
  std::size_t total = 0;
  for (Shard& owner : shards_) {
    const std::lock_guard lock(owner.mutex);
    total += owner.flights.size();
  }
  return total;
}

}  // namespace weir::flow
