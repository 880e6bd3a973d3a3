// A small world for the argument of docs/fleet-purges.md: one page, one server with a copy of it,
// two instances. All of it is bytes, so that a state can be compared and remembered as it lies.
//
// Positions, log ids and beats only ever grow, and only their order counts: canonical() renames
// them, so that there are finitely many states.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace weir::backends::testing {

using Byte = std::uint8_t;

template <typename T, std::size_t kMost>
struct Few {
  Byte count = 0;
  std::array<T, kMost> items = {};

  bool is_full() const { return count == kMost; }
  bool empty() const { return count == 0; }
  void add(T item) { items[count++] = item; }
  void add_front(T item) {
    for (std::size_t i = count; i > 0; --i) items[i] = items[i - 1];
    items[0] = item;
    ++count;
  }
  void drop_if(const auto& is_gone) {
    Byte left = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_gone(items[i])) items[left++] = items[i];
    }
    for (std::size_t i = left; i < count; ++i) items[i] = T{};
    count = left;
  }
  T* begin() { return items.data(); }
  T* end() { return items.data() + count; }
  const T* begin() const { return items.data(); }
  const T* end() const { return items.data() + count; }
  const T& back() const { return items[count - std::size_t{1}]; }
};

inline constexpr std::size_t kMostEntries = 10;
inline constexpr std::size_t kInstances = 2;
inline constexpr std::size_t kMostPurges = 2;

// What an entry says: the number of a purge, or that all is stale.
inline constexpr Byte kAllIsStale = 0;

struct LogEntry {
  Byte at = 0;
  Byte what = 0;
};

// The page as it was before the purge `version + 1` was issued.
struct SharedObject {
  Byte there = 0;
  Byte version = 0;
  Byte log = 0;  // the position that was written with it
  Byte at = 0;
};

struct MemberEntry {
  Byte there = 0;
  Byte at = 0;
  Byte beat = 0;  // with which it was written: lapsed when Instance::over has reached it
};

// What a Redis server holds.
struct Server {
  SharedObject object;
  Few<LogEntry, kMostEntries> log;
  Byte floor = 0;
  Byte id = 0;      // the log's number; 0: none
  Byte is_new = 0;  // the log was begun, and no lease has passed since
  Byte runs = 0;    // the known identities, a bit each: one alone under the rule of one `run`
  std::array<MemberEntry, kInstances> members;

  Byte last() const { return log.empty() ? floor : log.back().at; }
};

// FleetLog::State, with a step for each command on its way.
enum class Phase : Byte {
  Away,
  Replacing,   // another number is to be given to the log
  Reading,     // to its end
  Appending,   // what is pending
  Sent,        // it is appended, the answer on its way
  Back,        // what was appended is to be read back
  Announcing,  // the others are to wait for this instance
  Entering,    // they do; what came meanwhile is to be read
  InStep,
};

struct Known {
  Byte at = 0;
  Byte own = 0;
  Byte what = 0;
};

struct PendingEntry {
  Byte what = 0;
  Byte is_handed_in = 0;  // else it is said again
  Byte is_old = 0;        // handed in before the server was last found
  Byte at = 0;            // where it was appended; 0: nowhere
};

struct OwnPage {
  Byte there = 0;
  Byte version = 0;
  Byte seq = 0;
  Byte is_shared = 0;  // it came from the server: what says that all is stale is about it
};

struct Fetch {
  enum class State : Byte { None, Running, Storing };
  State state = State::None;
  Byte version = 0;
  Byte seq = 0;
  Byte log = 0;  // where it is Storing: what is written with it
  Byte at = 0;
};

// A look-up that the server has answered, with the identity of that server.
struct Looking {
  SharedObject object;
  Byte identity = 0;
};

struct Instance {
  Phase phase = Phase::Away;
  Byte link = 0;      // World::links when it joined
  Byte identity = 0;  // of the server that was joined
  Byte last_identity = 0;
  Byte trusted_identity = 0;  // 0: nothing is to be read
  Byte is_doubtful = 0;
  // Beats are numbered. Those up to `over` are longer ago than a lease.
  Byte beat = 0;     // the last one that was sent
  Byte trusted = 0;  // the last one that was confirmed in time
  Byte over = 0;
  Byte beat_answer = 0;  // on its way: 1 good, 2 not
  // FleetPositions
  Byte log = 0;
  Byte floor = 0;
  Byte own_base = 0;
  Few<Known, kMostEntries> known;
  // Its own entries
  Few<PendingEntry, kMostEntries> pending;
  Byte sending = 0;  // some are appended, and the answer is on its way
  Byte sent_at = 0;  // the last of them
  Byte last_appended = 0;
  // The purge book, of one key: the newest mark that kills, and the newest that makes stale.
  Byte position = 1;
  Byte dead_below = 0;
  Byte stale_below = 0;

  OwnPage page;
  Fetch fetch;
  Looking looking;

  Byte at() const { return known.empty() ? floor : known.back().at; }
  bool is_over() const { return trusted <= over; }
};

// Somebody's wait until all have applied the purge of that number.
struct Waiting {
  enum class State : Byte { None, Unlogged, Logged };
  State state = State::None;
  Byte who = 0;
  Byte at = 0;
  Byte identity = 0;  // of the server that it was logged under
  Byte log = 0;       // and the log's number
  Byte is_unconfirmed = 0;
  Byte heard = 0;  // how far they are: 1 once, 2 all of them
};

struct World {
  Server server;
  Server copy;              // a replica that is behind, or what was saved
  Byte has_replica = 0;     // the copy is a replica's
  Byte identity = 1;        // of the server
  Byte other_identity = 2;  // of the one that stands by, under the rule of one `run`
  Byte new_identity = 3;
  Byte new_id = 2;   // of a log
  Byte links = 0;    // how often they have all broken
  Byte last_at = 0;  // the newest id of an entry that ever was
  std::array<Instance, kInstances> instances;
  std::array<Waiting, kMostPurges> waiting;
  Byte purges = 0;    // issued
  Byte promised = 0;  // the newest that was answered with 200
  // What may still happen.
  Byte purges_left = 0;
  Byte fetches_left = 0;
  Byte looks_left = 0;
  Byte cuts_left = 0;
  Byte lapses_left = 0;  // silences of a lease and longer
  Byte copies_left = 0;
  Byte ends_left = 0;  // failovers and restarts
  Byte trims_left = 0;
  Byte flushes_left = 0;
  Byte is_early = 0;  // an instance came in step with an old entry of its own still to append
  Byte is_short = 0;  // a list of the model was too short: nothing that follows counts
};
static_assert(std::has_unique_object_representations_v<World>);

}  // namespace weir::backends::testing
