// The fleets that this process belongs to: one for each Redis backend, whose instances tell each
// other what was purged. What is marked here is told to all of them; what they tell is marked here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backends/redis/fleet_log.h"
#include "proxy/flow/purge_book.h"

namespace weir::flow {

class Fleets final : public MarkHearer {
 public:
  // `book` outlives it.
  explicit Fleets(PurgeBook& book);
  ~Fleets() override;

  // A fleet that is joined, for as long as this is held. On the loop that it was given.
  class Member;
  std::unique_ptr<Member> join(EventLoop& loop, Resolver& resolver,
                               backends::redis::FleetLogOptions options);

  bool empty() const;
  // How it went with what this thread has marked: of all fleets together, the worst and the sums.
  using Applied = backends::redis::FleetLog::Applied;
  // Tells once all live instances have applied it, or patience has ended. Any thread; `tell` is
  // called on a fleet's loop. There is at least one.
  void when_applied(std::move_only_function<void(Applied)> tell);

 private:
  // Under the book's lock.
  void append(const Mark& mark) override;

  PurgeBook& book_;
  mutable std::mutex mutex_;                      // taken under the book's lock
  std::vector<backends::redis::FleetLog*> logs_;  // guarded by mutex_
};

class Fleets::Member final : backends::redis::FleetMarks {
 public:
  Member(Fleets& fleets, EventLoop& loop, Resolver& resolver,
         const backends::redis::FleetLogOptions& options);
  ~Member() override;

  std::shared_ptr<const backends::SharedPositions> positions() const { return log_.positions(); }
  // What the one before had still to tell is told by this one.
  void take_over(const Member& before);
  // The others need not wait for this instance any more.
  void leave() { log_.leave(); }
  // The same where this process goes on: what it marks from now on is not told to them.
  void retire();

 private:
  std::uint64_t apply(std::string_view entry) override;
  std::uint64_t step() override;
  std::uint64_t drop_own() override;
  std::string all_is_stale() const override;
  std::string all_is_dead() const override;

  Fleets& fleets_;
  const std::uint64_t tag_;
  backends::redis::FleetLog log_;
};

}  // namespace weir::flow
