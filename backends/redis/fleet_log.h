// The log of purges that all instances of a fleet share: a Redis Stream, which each of them reads
// in order and appends to. What an entry says is its owner's affair. docs/REDIS_FORMAT.md names the
// keys; docs/fleet-purges.md states why no instance uses what another has purged.
//
// On one loop, but for append() and when_applied().
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/redis/cluster_map.h"
#include "backends/redis/fleet_positions.h"
#include "backends/redis/link.h"
#include "base/net/loop_door.h"
#include "base/net/timer.h"

namespace weir::backends::redis {

struct FleetLogOptions {
  Topology servers;  // of a cluster, the one that has the log
  std::string prefix = "cache:";
  std::string backend = "redis";      // its name, for the log
  std::int64_t lease_ms = 10'000;     // how long the others wait for one that has fallen silent
  std::int64_t patience_ms = 1'000;   // of who waits until all have applied something
  std::uint64_t tag = 0;              // SharedPositions::tag()
  std::size_t most_entries = 16'384;  // the oldest beyond that go, and the floor rises
};

// What the entries mean. Called on the log's loop.
class FleetMarks {
 public:
  virtual ~FleetMarks() = default;
  // Applies an entry; this instance's position behind it.
  virtual std::uint64_t apply(std::string_view entry) = 0;
  // A position that nothing has that began before.
  virtual std::uint64_t step() = 0;
  // What this instance has of its own is not known to have outlived all purges: from now on none of
  // it is used. The position behind that.
  virtual std::uint64_t drop_own() = 0;
  // The entry that says: all that is there now is to be validated before it is used.
  virtual std::string all_is_stale() const = 0;
  // The one that says: nothing of it is to be used.
  virtual std::string all_is_dead() const = 0;
};

class FleetLog {
 public:
  FleetLog(EventLoop& loop, Resolver& resolver, FleetLogOptions options, FleetMarks& marks);
  ~FleetLog();
  FleetLog(const FleetLog&) = delete;
  FleetLog& operator=(const FleetLog&) = delete;

  const std::shared_ptr<FleetPositions>& positions() const { return positions_; }
  bool is_in_step() const { return state_ == State::InStep; }

  // Appends it, now or as soon as the log is within reach: before anything is read from the server
  // again. Any thread; those of one thread in their order.
  void append(std::string entry);

  struct Applied {
    bool logged = false;    // else it will be, once the server is within reach
    bool confirmed = true;  // by a replica, where there are some
    // Else the server may have forgotten some that are live.
    bool all_known = true;
    std::size_t live = 1;   // instances, this one included
    std::size_t acked = 1;  // of those
  };
  using WhenApplied = std::move_only_function<void(Applied)>;
  // Tells once all live instances have applied what this thread has appended so far, or when
  // patience ends. Any thread; `tell` is called on the log's loop.
  void when_applied(WhenApplied tell);

  // Nobody waits for this instance any more.
  void leave();
  // What is not known to be in the log, for the one that takes this one's place.
  std::vector<std::string> pending() const;

 private:
  enum class State : std::uint8_t {
    Away,      // out of reach; it is tried again
    Joining,   // what stands there is looked at, and read
    Catching,  // what the server has not heard of is appended, and read back
    Entering,  // the others wait for this instance from now on; what came meanwhile is read
    InStep,
  };
  // Read, or appended, with one command or one write.
  static constexpr std::size_t kBatchEntries = 500;

  using Step = void (FleetLog::*)(const std::vector<Reply>& replies);
  class Acknowledging;
  // An entry that was not read back from the log yet: what the server has said to be there, it may
  // have lost since. Those that were handed in are numbered.
  struct Pending {
    std::string entry;
    std::uint64_t number = 0;
    std::optional<StreamPosition> at = {};  // where it was appended
  };

  std::string key(std::string_view name) const;
  std::unique_ptr<PlaceFinder> finder(Resolver& resolver);
  LinkOptions link_options() const;
  std::unique_ptr<PendingAnswer> ask(Link& link, const Commands& commands, Step step);
  void ask_orders(const Commands& commands, Step step) { call_ = ask(orders_, commands, step); }
  void end_calls();
  void lost(std::string_view why);
  void look_at_runs();
  void renew_links();
  void join_again();

  void join();
  void on_joined(const std::vector<Reply>& replies);
  void warn_of_eviction(std::string_view policy);
  void replace_log(std::uint64_t log, StreamPosition floor);
  void begin_anew();
  void on_begun_anew(const std::vector<Reply>& replies);
  void read_on();
  void on_read(const std::vector<Reply>& replies);
  void catch_up();
  void on_caught_up(const std::vector<Reply>& replies);
  void announce();
  void add_runs(Commands& commands);
  void on_announced(const std::vector<Reply>& replies);
  void enter();
  void follow();
  void on_followed(const std::vector<Reply>& replies);
  void on_appended(const std::vector<Reply>& replies);
  void on_beat(const std::vector<Reply>& replies);

  bool is_behind(const Reply& floor) const;
  Result<void> apply_all(const Reply& entries);
  bool take_back(StreamPosition at);
  bool is_other_log(const Reply& number) const;
  void begin_unsure(std::int64_t for_ms);
  Commands appending(std::size_t most);
  bool take_appended(const std::vector<Reply>& replies);
  void send_pending();
  void add_beat(Commands& commands);
  void note_replicas(const Reply& info);
  void append_here(std::string entry);
  void wait_here(WhenApplied tell);
  void confirm();
  void beat();
  void ask_sentinels();
  void trim();
  void look_at_waiting();
  void drop(const Acknowledging& ended);

  EventLoop& loop_;
  const FleetLogOptions options_;
  FleetMarks& marks_;
  const std::string instance_;
  const std::shared_ptr<LoopDoor> door_;
  const std::shared_ptr<FleetPositions> positions_;
  std::unique_ptr<ClusterMap> map_;               // of a cluster
  const std::unique_ptr<PlaceFinder> sentinels_;  // where there are some
  Link orders_;                                   // to join and to append
  Link news_;                                     // waits for entries
  Link beats_;     // says how far this instance is, and asks how far the others are
  Link replicas_;  // waits for a replica
  State state_ = State::Away;
  std::unique_ptr<PendingAnswer> call_;
  std::unique_ptr<PendingAnswer> news_call_;
  std::unique_ptr<PendingAnswer> beat_call_;
  std::unique_ptr<PendingAnswer> trim_call_;
  std::unique_ptr<PendingAnswer> confirm_call_;
  std::unique_ptr<PendingAnswer> sentinels_call_;
  Timer retry_;
  Timer beat_;

  std::string run_;                // of the server that was joined
  std::string last_run_;           // of the one that was followed
  std::vector<std::string> runs_;  // of all that may be read once this instance is in step
  std::size_t known_runs_ = 0;     // that the server has been told of
  std::int64_t look_again_ms_ = 0;
  bool has_left_ = false;
  std::int64_t retry_ms_ = 0;
  bool is_warned_ = false;
  bool is_told_away_ = false;  // and why, since it was in step
  std::uint64_t doubts_ = 0;   // FleetPositions::doubts() that is_doubtful_ is about
  bool is_doubtful_ = false;   // what it holds is to be said stale
  std::deque<Pending> pending_;
  std::size_t appended_ = 0;     // the first of those; they have their places
  std::size_t sending_ = 0;      // behind them, under way
  std::uint64_t taken_ = 0;      // entries that were handed in
  std::uint64_t read_back_ = 0;  // those up to this number are in the log
  StreamPosition last_read_back_;
  std::int64_t unsure_until_ms_ = 0;  // the server may have forgotten who is live
  std::int64_t beat_sent_ms_ = 0;
  bool beat_again_ = false;
  bool has_replicas_ = false;
  std::list<std::unique_ptr<Acknowledging>> waiting_;
  Life<FleetLog> life_{*this};
  const Weak<FleetLog> self_ = life_.watch();  // for other threads, which copy it
};

}  // namespace weir::backends::redis
