// What may happen in the small world of purge_world.h, and what must not: the protocol of
// backends/redis/fleet_log.h and redis_store.h, a step for each command that the server carries
// out and for each answer that arrives. Each rule of it can be switched off.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/backends/redis/purge_world.h"

namespace weir::backends::testing {

struct Rules {
  // ---- whom is waited for ----
  bool lease_ends_trust = true;     // who has been silent for a lease does not read
  bool beat_checks_lease = true;    // who was silent for longer joins again
  bool beat_checks_name = true;     // so does one whose name is gone
  bool beat_checks_log = true;      // or who sees another log's number
  bool reads_check_log = true;      // what is read while joining is of the log that was looked at
  bool announces_first = true;      // before the last read
  bool unheard_is_202 = true;       // without a word of how far they are, nobody has acknowledged
  bool asks_the_same_log = true;    // how far they are: the one in which the purge is
  bool waits_out_a_new_log = true;  // who was forgotten with the one before has a lease still
  bool waits_for_replica = true;
  // ---- what is read from the server ----
  bool checks_identity = true;    // every link's
  bool records_positions = true;  // an object has the position at which its fetch began
  bool marks_again = true;        // an own purge, when it comes back from the log
  // ---- what was lost ----
  bool new_identity_is_stale = true;
  bool finds_lost_end = true;       // and gives the log another number
  bool repeats_entries = true;      // in a log of another number
  bool drops_below_floor = true;    // the own tier, where more was purged than is kept
  bool drops_when_replaced = true;  // where the server was, while this instance was away
  bool drops_when_lost = true;      // where the log was, while this instance was away
  // ---- what is to be appended ----
  bool appends_first = true;          // what is pending, before anything is read
  bool reads_back = true;             // what was appended
  bool keeps_until_read_back = true;  // else until it is heard to be there
  // The server keeps all identities that it had, each new with every start and promotion. Else it
  // has the last one alone, the process's, which may come back.
  bool keeps_identities = true;
};

// A step: which, and whose (an instance's, a purge's).
struct Move {
  Byte kind = 0;
  Byte who = 0;
};

class PurgeModel {
 public:
  explicit PurgeModel(const Rules& rules) : rules_(rules) {}

  static std::vector<Move> moves();
  static std::string words(const Move& move, const World& before);
  // False: it cannot happen now.
  bool take(World& world, const Move& move) const;
  // What must not be.
  std::optional<std::string> fault(const World& world) const;
  // Both instances in step, with one log, nothing to be appended.
  static bool is_settled(const World& world);
  // One turn of everybody in which nothing new befalls them.
  void turn(World& world) const;

 private:
  using Step = bool (PurgeModel::*)(World&, std::size_t who) const;
  struct Kind {
    Step step;
    std::size_t whose;
    bool is_fair;  // it happens sooner or later where it can
    std::string_view words;
  };
  static const std::vector<Kind>& kinds();

  // ---- of the server ----
  bool copy(World& world, std::size_t) const;
  bool fail_over(World& world, std::size_t) const;
  bool restart(World& world, std::size_t) const;
  bool restart_empty(World& world, std::size_t) const;
  bool flush(World& world, std::size_t) const;
  bool grow_old(World& world, std::size_t) const;
  // ---- of an instance that joins ----
  bool cut(World& world, std::size_t who) const;
  bool notice(World& world, std::size_t who) const;
  bool join(World& world, std::size_t who) const;
  bool replace(World& world, std::size_t who) const;
  bool read(World& world, std::size_t who) const;
  bool append(World& world, std::size_t who) const;
  bool appended(World& world, std::size_t who) const;
  bool read_back(World& world, std::size_t who) const;
  bool announce(World& world, std::size_t who) const;
  bool enter(World& world, std::size_t who) const;
  // ---- of one in step ----
  bool follow(World& world, std::size_t who) const;
  bool beat(World& world, std::size_t who) const;
  bool beaten(World& world, std::size_t who) const;
  bool run_out(World& world, std::size_t who) const;
  bool trim(World& world, std::size_t who) const;
  // ---- of pages ----
  bool begin_fetch(World& world, std::size_t who) const;
  bool end_fetch(World& world, std::size_t who) const;
  bool store(World& world, std::size_t who) const;
  bool look_up(World& world, std::size_t who) const;
  bool looked_up(World& world, std::size_t who) const;
  // ---- of purges ----
  bool purge(World& world, std::size_t who) const;
  bool confirm(World& world, std::size_t number) const;
  bool hear(World& world, std::size_t number) const;
  bool hear_nothing(World& world, std::size_t number) const;

  bool is_elsewhere(const World& world, const Instance& one) const;
  void choose_place(World& world, Instance& one) const;
  void give_up_own(Instance& one, bool is_rule) const;
  void apply(Instance& one, Byte what, bool is_own) const;
  void apply_all(const World& world, Instance& one) const;
  void send(World& world, Instance& one) const;
  void trust(World& world, std::size_t who) const;
  bool would_serve(const Instance& one, const SharedObject& object, Byte identity) const;

  const Rules rules_;
};

// Renames what only has an order, and forgets what makes no difference any more.
void make_canonical(World& world);
// No old page is left anywhere, or nobody is promised anything: no purge can be broken any more.
bool is_harmless(const World& world);

}  // namespace weir::backends::testing
