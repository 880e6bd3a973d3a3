// What an instance does with the log: fleet_log.cc and fleet_follow.cc, step for step.
#include <algorithm>

#include "tests/backends/redis/purge_model.h"

namespace weir::backends::testing {
namespace {

void mark(Instance& one) {
  one.dead_below = ++one.position;
}

bool has_entry(const Server& server, Byte at) {
  return std::ranges::any_of(server.log, [at](const LogEntry& entry) { return entry.at == at; });
}

bool knows_identity(const World& world) {
  return (world.server.runs >> world.identity & 1) != 0;
}

void begin(Instance& one, Byte log, Byte floor) {
  one.log = log;
  one.floor = floor;
  one.own_base = one.position;
  one.known = {};
}

// FleetLog::lost().
void lose(Instance& one) {
  one.trusted_identity = 0;
  one.phase = Phase::Away;
  one.beat_answer = 0;
  one.sending = 0;
  for (PendingEntry& entry : one.pending) {
    entry.is_old = 1;
    entry.at = 0;  // it may be there twice then, which changes nothing
  }
}

// FleetLog::look_at_waiting(), as far as it is about what is in the log by now.
void look_at_waiting(World& world, std::size_t who) {
  const Instance& one = world.instances[who];
  if (one.phase != Phase::InStep) return;
  for (std::size_t i = 0; i < kMostPurges; ++i) {
    Waiting& waiting = world.waiting[i];
    const bool is_pending = std::ranges::any_of(one.pending, [&](const PendingEntry& entry) {
      return entry.is_handed_in != 0 && entry.what == i + 1 && entry.at == 0;
    });
    if (waiting.who != who || waiting.state != Waiting::State::Unlogged || is_pending) continue;
    waiting.state = Waiting::State::Logged;
    waiting.at = one.last_appended;
    waiting.identity = one.identity;
    waiting.log = one.log;
    waiting.is_unconfirmed = world.has_replica;
  }
}

bool has_unsent(const Instance& one) {
  return std::ranges::any_of(one.pending, [](const PendingEntry& entry) { return entry.at == 0; });
}

bool is_link_gone(const World& world, const Instance& one) {
  return one.phase != Phase::Away && one.link != world.links;
}

}  // namespace

void PurgeModel::apply(Instance& one, Byte what, bool is_own) const {
  if (what == kAllIsStale) {
    one.stale_below = ++one.position;
  } else if (!is_own || rules_.marks_again) {
    mark(one);
  }
}

void PurgeModel::apply_all(const World& world, Instance& one) const {
  const auto who = static_cast<Byte>(&one - world.instances.data());
  for (const LogEntry& entry : world.server.log) {
    if (entry.at <= one.at()) continue;
    const bool is_own = entry.what != kAllIsStale && world.waiting[entry.what - 1].who == who;
    apply(one, entry.what, is_own);
    one.known.add({entry.at, one.position, entry.what});
    // Read back, itself: it is remembered with the log from now on.
    one.pending.drop_if([&](const PendingEntry& pending) {
      if (pending.at != entry.at) return false;
      one.last_appended = std::max(one.last_appended, entry.at);
      return true;
    });
  }
}

// What was read says nothing: it is looked at anew.
bool PurgeModel::is_elsewhere(const World& world, const Instance& one) const {
  return world.server.floor > one.at() || (rules_.reads_check_log && world.server.id != one.log);
}

// ---- joining ----

bool PurgeModel::cut(World& world, std::size_t who) const {
  if (world.cuts_left == 0 || world.instances[who].phase == Phase::Away) return false;
  --world.cuts_left;
  lose(world.instances[who]);
  return true;
}

bool PurgeModel::notice(World& world, std::size_t who) const {
  if (!is_link_gone(world, world.instances[who])) return false;
  lose(world.instances[who]);
  return true;
}

// drop_own() or, where the rule is off, step().
void PurgeModel::give_up_own(Instance& one, bool is_rule) const {
  ++one.position;
  if (is_rule) one.dead_below = one.position;
}

// on_joined(), from what is known of the log.
void PurgeModel::choose_place(World& world, Instance& one) const {
  const Server& server = world.server;
  const bool has_last = one.known.empty() || has_entry(server, one.at());
  one.phase = Phase::Reading;
  if (one.log == 0) {
    give_up_own(one, server.floor > 0);
    begin(one, server.id, server.floor);
  } else if (server.id != one.log) {
    if (rules_.repeats_entries) {
      for (std::size_t i = one.known.count; i > 0; --i) {
        if (one.pending.is_full()) world.is_short = 1;
        if (!one.pending.is_full()) one.pending.add_front({one.known.items[i - 1].what, 0, 1, 0});
      }
    }
    one.is_doubtful = 1;
    give_up_own(one, one.is_over() && rules_.drops_when_lost);
    begin(one, server.id, server.floor);
  } else if (rules_.finds_lost_end &&
             (server.last() < one.at() || (!has_last && server.floor < one.at()))) {
    one.phase = Phase::Replacing;
  } else if (one.is_over() && one.identity != one.last_identity && rules_.drops_when_replaced) {
    give_up_own(one, true);
    begin(one, server.id, server.floor);
  } else if (one.at() < server.floor) {
    give_up_own(one, rules_.drops_below_floor);
    begin(one, server.id, server.floor);
  }
}

bool PurgeModel::join(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  if (one.phase != Phase::Away) return false;
  const bool is_created = world.server.id == 0;
  if (is_created) {
    world.server.id = world.new_id++;
    world.server.is_new = 1;
  }
  one.trusted_identity = 0;
  for (PendingEntry& entry : one.pending) entry.at = 0;
  one.link = world.links;
  one.identity = world.identity;
  if (is_created || (!knows_identity(world) && rules_.new_identity_is_stale)) one.is_doubtful = 1;
  choose_place(world, one);
  return true;
}

bool PurgeModel::replace(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  if (one.phase != Phase::Replacing || is_link_gone(world, one)) return false;
  if (world.server.id == one.log) world.server.id = world.new_id++;
  one.phase = Phase::Away;
  return true;
}

bool PurgeModel::read(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  if (one.phase != Phase::Reading || is_link_gone(world, one)) return false;
  if (is_elsewhere(world, one)) {
    one.phase = Phase::Away;
    return true;
  }
  apply_all(world, one);
  if (one.is_doubtful != 0 && (one.pending.empty() || one.pending.items[0].what != kAllIsStale)) {
    if (one.pending.is_full()) world.is_short = 1;
    if (!one.pending.is_full()) one.pending.add_front({kAllIsStale, 0, 0, 0});
  }
  const bool appends = rules_.appends_first ? has_unsent(one) : one.is_doubtful != 0;
  one.phase = appends ? Phase::Appending : Phase::Announcing;
  return true;
}

void PurgeModel::send(World& world, Instance& one) const {
  const bool all = rules_.appends_first || one.phase == Phase::InStep;
  one.sending = 1;
  for (PendingEntry& entry : one.pending) {
    if (entry.at != 0) continue;
    if (world.server.log.is_full()) {
      world.is_short = 1;
      return;
    }
    one.sent_at = ++world.last_at;
    entry.at = one.sent_at;
    world.server.log.add({one.sent_at, entry.what});
    if (!all) return;
  }
}

bool PurgeModel::append(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  const bool in_step = one.phase == Phase::InStep && one.sending == 0 && has_unsent(one);
  const bool joins = one.phase == Phase::Appending && !is_link_gone(world, one);
  if (!in_step && !joins) return false;
  send(world, one);
  if (joins) one.phase = Phase::Sent;
  return true;
}

bool PurgeModel::appended(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  if (one.sending == 0) return false;
  one.last_appended = one.sent_at;
  one.sending = 0;
  if (!rules_.keeps_until_read_back) {
    one.pending.drop_if([](const PendingEntry& entry) { return entry.at != 0; });
  }
  if (one.phase == Phase::Sent) {
    one.phase = rules_.reads_back ? Phase::Back : Phase::Announcing;
    if (rules_.appends_first && has_unsent(one)) one.phase = Phase::Appending;
  }
  look_at_waiting(world, who);
  return true;
}

bool PurgeModel::read_back(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  if (one.phase != Phase::Back || is_link_gone(world, one)) return false;
  if (is_elsewhere(world, one)) {
    one.phase = Phase::Away;
    return true;
  }
  apply_all(world, one);
  if (one.at() < one.last_appended) {
    lose(one);
  } else {
    one.phase = Phase::Announcing;
  }
  return true;
}

bool PurgeModel::announce(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  if (one.phase != Phase::Announcing || is_link_gone(world, one)) return false;
  Byte& runs = world.server.runs;
  const auto bit = static_cast<Byte>(1U << one.identity);
  if (one.is_doubtful != 0) runs = rules_.keeps_identities ? Byte(runs | bit) : bit;
  world.server.members[who] = {1, one.at(), ++one.beat};
  one.phase = Phase::Entering;
  if (!rules_.announces_first) trust(world, who);
  return true;
}

bool PurgeModel::enter(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  if (one.phase != Phase::Entering || is_link_gone(world, one)) return false;
  if (is_elsewhere(world, one)) {
    one.phase = Phase::Away;
    return true;
  }
  apply_all(world, one);
  trust(world, who);
  return true;
}

void PurgeModel::trust(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  one.is_doubtful = 0;
  one.last_identity = one.identity;
  one.phase = Phase::InStep;
  one.trusted_identity = one.identity;
  one.trusted = one.beat;
  for (const PendingEntry& entry : one.pending) {
    if (entry.is_old != 0 && entry.at == 0) world.is_early = 1;
  }
  look_at_waiting(world, who);
}

// ---- in step ----

bool PurgeModel::follow(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  if (one.phase != Phase::InStep || is_link_gone(world, one)) return false;
  if (world.server.floor > one.at()) {
    lose(one);
    return true;
  }
  if (world.server.last() <= one.at()) return false;
  apply_all(world, one);
  return true;
}

// The server carries it out, whichever it is by now.
bool PurgeModel::beat(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  if (one.phase != Phase::InStep || one.beat_answer != 0) return false;
  MemberEntry& entry = world.server.members[who];
  // One that says nothing new only lengthens the lease, which here is as long as need be.
  const bool is_new = entry.there == 0 || entry.at != one.at() || entry.beat <= one.over ||
                      one.is_over() || one.identity != world.identity || one.log != world.server.id;
  if (!is_new) return false;
  const bool is_good = (one.identity == world.identity || !rules_.checks_identity) &&
                       (entry.there != 0 || !rules_.beat_checks_name) &&
                       (one.log == world.server.id || !rules_.beat_checks_log);
  entry = {1, one.at(), ++one.beat};
  one.beat_answer = is_good ? 1 : 2;
  return true;
}

bool PurgeModel::beaten(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  if (one.beat_answer == 0) return false;
  const bool is_good = one.beat_answer == 1;
  one.beat_answer = 0;
  if (!is_good || (one.is_over() && rules_.beat_checks_lease)) {
    lose(one);
  } else {
    one.trusted = one.beat;
  }
  return true;
}

// A lease has passed since the oldest beat of which that was not so.
bool PurgeModel::run_out(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  if (world.lapses_left == 0 || one.over == one.beat) return false;
  --world.lapses_left;
  ++one.over;
  return true;
}

// Of what it knows the oldest entry goes. An own tier may not have heard of it.
bool PurgeModel::trim(World& world, std::size_t who) const {
  Instance& one = world.instances[who];
  if (world.trims_left == 0 || one.phase != Phase::InStep || is_link_gone(world, one) ||
      one.known.empty()) {
    return false;
  }
  --world.trims_left;
  const Known gone = one.known.items[0];
  Server& server = world.server;
  server.floor = std::max(server.floor, gone.at);
  server.log.drop_if([&](const LogEntry& entry) { return entry.at <= gone.at; });
  one.own_base = gone.own;
  one.floor = std::max(one.floor, gone.at);
  one.known.drop_if([&](const Known& known) { return known.at == gone.at; });
  return true;
}

}  // namespace weir::backends::testing
