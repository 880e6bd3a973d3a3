// What befalls the server, and what is done with pages and purges: redis_store.cc, acknowledging.h.
#include <algorithm>
#include <utility>

#include "tests/backends/redis/purge_model.h"

namespace weir::backends::testing {
namespace {

// FleetPositions::shared(): where the log was when the own position was that.
std::optional<LogEntry> shared(const Instance& one, Byte own) {
  if (one.log == 0 || own < one.own_base) return std::nullopt;
  LogEntry out{one.floor, 0};
  for (const Known& known : one.known) {
    if (known.own <= own) out.at = known.at;
  }
  return out;
}

// FleetPositions::own(): the own position behind what its writer had applied.
std::optional<Byte> own(const Instance& one, const SharedObject& object) {
  if (one.log == 0) return std::nullopt;
  if (object.log != one.log) return one.own_base;
  if (object.at < one.floor) return std::nullopt;
  Byte out = one.own_base;
  for (const Known& known : one.known) {
    if (known.at <= object.at) out = known.own;
  }
  return out;
}

bool is_fresh(const Instance& one, Byte seq, bool is_shared) {
  return seq >= one.dead_below && (!is_shared || seq >= one.stale_below);
}

bool is_same_log(const World& world, const Waiting& waiting) {
  return waiting.identity == world.identity && waiting.log == world.server.id;
}

void answer(World& world, std::size_t number) {
  world.promised = std::max<Byte>(world.promised, static_cast<Byte>(number + 1));
  world.waiting[number].state = Waiting::State::None;
}

}  // namespace

// ---- the server ----

// The replica has caught up, or what there is is saved.
bool PurgeModel::copy(World& world, std::size_t) const {
  if (world.ends_left == 0 || world.copies_left == 0) return false;
  --world.copies_left;
  world.copy = world.server;
  return true;
}

// The copy is the server from now on. What the other one had is what a second failover would find.
bool PurgeModel::fail_over(World& world, std::size_t) const {
  if (world.ends_left == 0 || world.has_replica == 0) return false;
  --world.ends_left;
  ++world.links;
  std::swap(world.server, world.copy);
  std::swap(world.identity, world.other_identity);
  if (rules_.keeps_identities) world.identity = world.new_identity++;
  return true;
}

bool PurgeModel::restart(World& world, std::size_t) const {
  if (world.ends_left == 0 || world.has_replica != 0) return false;
  --world.ends_left;
  ++world.links;
  world.server = world.copy;
  world.identity = world.new_identity++;
  return true;
}

bool PurgeModel::restart_empty(World& world, std::size_t) const {
  if (world.ends_left == 0) return false;
  --world.ends_left;
  ++world.links;
  world.server = {};
  world.identity = world.new_identity++;
  return true;
}

bool PurgeModel::flush(World& world, std::size_t) const {
  if (world.flushes_left == 0) return false;
  --world.flushes_left;
  world.server = {};
  return true;
}

// A lease has passed since the log was begun: whoever is not in the list has lost his.
bool PurgeModel::grow_old(World& world, std::size_t) const {
  if (world.server.is_new == 0) return false;
  for (std::size_t i = 0; i < kInstances; ++i) {
    if (world.server.members[i].there == 0) world.instances[i].over = world.instances[i].beat;
  }
  world.server.is_new = 0;
  return true;
}

// ---- pages ----

bool PurgeModel::begin_fetch(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  if (world.fetches_left == 0 || world.purges_left == 0 || one.fetch.state != Fetch::State::None)
    return false;
  --world.fetches_left;
  one.fetch = {Fetch::State::Running, world.purges, one.position, 0, 0};
  return true;
}

bool PurgeModel::end_fetch(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  Fetch& fetch = one.fetch;
  if (fetch.state != Fetch::State::Running) return false;
  one.page = {1, fetch.version, fetch.seq, 0};
  const auto at = shared(one, rules_.records_positions ? fetch.seq : one.position);
  if (!at) {
    fetch = {};
    return true;
  }
  fetch = {Fetch::State::Storing, fetch.version, 0, one.log, at->at};
  return true;
}

bool PurgeModel::store(World& world, std::size_t who) const {
  Fetch& fetch = world.instances[who].fetch;
  if (fetch.state != Fetch::State::Storing) return false;
  world.server.object = {1, fetch.version, fetch.log, fetch.at};
  fetch = {};
  return true;
}

// RedisStore::may_read() and what is made of the object.
bool PurgeModel::would_serve(const Instance& one, const SharedObject& object, Byte identity) const {
  if (object.there == 0 || one.trusted_identity == 0) return false;
  if (one.is_over() && rules_.lease_ends_trust) return false;
  if (one.trusted_identity != identity && rules_.checks_identity) return false;
  const auto seq = own(one, object);
  return seq && is_fresh(one, *seq, true);
}

bool PurgeModel::look_up(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  if (world.looks_left == 0 || one.looking.object.there != 0) return false;
  if (!would_serve(one, world.server.object, world.identity)) return false;
  --world.looks_left;
  one.looking = {world.server.object, world.identity};
  return true;
}

bool PurgeModel::looked_up(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  const SharedObject object = one.looking.object;
  if (object.there == 0) return false;
  if (would_serve(one, object, one.looking.identity)) {
    one.page = {1, object.version, *own(one, object), 1};
  }
  one.looking = {};
  return true;
}

// ---- purges ----

bool PurgeModel::purge(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  // The first is A's: the two are alike.
  if (world.purges_left == 0 || (world.purges == 0 && who != 0)) return false;
  --world.purges_left;
  one.dead_below = ++one.position;
  const bool is_away = one.phase == Phase::Away;
  Waiting& waiting = world.waiting[world.purges++];
  waiting.who = static_cast<Byte>(who);
  if (!is_away) waiting.state = Waiting::State::Unlogged;
  if (one.pending.is_full()) world.is_short = 1;
  if (!one.pending.is_full()) one.pending.add({world.purges, 1, is_away ? Byte{1} : Byte{0}, 0});
  return true;
}

// WAIT: the replica has all that the server has.
bool PurgeModel::confirm(World& world, std::size_t number) const {
  Waiting& waiting = world.waiting[number];
  if (waiting.state != Waiting::State::Logged || waiting.is_unconfirmed == 0) return false;
  if (rules_.asks_the_same_log && !is_same_log(world, waiting)) return false;
  if (rules_.waits_for_replica) world.copy = world.server;
  waiting.is_unconfirmed = 0;
  if (waiting.heard == 2) answer(world, number);
  return true;
}

// ask_how_far(), whichever server that is by now. Who has been silent for too long is struck out.
bool PurgeModel::hear(World& world, std::size_t number) const {
  Waiting& waiting = world.waiting[number];
  if (waiting.state != Waiting::State::Logged || waiting.heard == 2) return false;
  if (rules_.asks_the_same_log && !is_same_log(world, waiting)) return false;
  if (rules_.waits_out_a_new_log && world.server.is_new != 0) return false;
  waiting.heard = 2;
  for (std::size_t i = 0; i < kInstances; ++i) {
    MemberEntry& entry = world.server.members[i];
    if (entry.there == 0) continue;
    if (entry.beat <= world.instances[i].over) {
      entry = {};
    } else if (entry.at < waiting.at) {
      waiting.heard = 1;
    }
  }
  if (waiting.heard == 2 && waiting.is_unconfirmed == 0) answer(world, number);
  return true;
}

// The call failed, or patience ended before its answer.
bool PurgeModel::hear_nothing(World& world, std::size_t number) const {
  const Waiting& waiting = world.waiting[number];
  if (rules_.unheard_is_202 || waiting.state != Waiting::State::Logged) return false;
  if (waiting.heard != 0 || waiting.is_unconfirmed != 0) return false;
  answer(world, number);
  return true;
}

// ---- what must not be ----

std::optional<std::string> PurgeModel::fault(const World& world) const {
  constexpr std::string_view kNames = "AB";
  if (world.is_early != 0) return "an instance is in step, and what it had to append is not there";
  for (std::size_t i = 0; i < kInstances; ++i) {
    const Instance& one = world.instances[i];
    const std::string name(1, kNames[i]);
    const auto is_old = [&](const SharedObject& object, Byte identity) {
      return object.version < world.promised && would_serve(one, object, identity);
    };
    if (is_old(world.server.object, world.identity)) {
      return name + " reads a page from the server that all have purged";
    }
    if (one.link == world.links && is_old(one.looking.object, one.looking.identity)) {
      return name + " has read a page from the server that all have purged since";
    }
    // In step, as far as it can know: its links stand, and its lease runs.
    const bool is_live = one.phase == Phase::InStep && one.link == world.links && !one.is_over();
    if (is_live && one.page.there != 0 && one.page.version < world.promised &&
        is_fresh(one, one.page.seq, one.page.is_shared != 0)) {
      return name + " is in step, and shows a page from its own tier that all have purged";
    }
  }
  return std::nullopt;
}

}  // namespace weir::backends::testing
