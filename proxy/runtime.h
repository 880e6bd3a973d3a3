// What a configuration amounts to at run time: its backends by name, the app's connections, and the
// site that they make with the routes; and what the process has beside it, whatever is configured:
// the tables that all loops share, and the file of the purge book's marks. Main thread, but for
// what it hands out. It goes when no loop uses any of it any more.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "backends/ram/ram_backend.h"
#include "base/executor.h"
#include "base/net/event_loop.h"
#include "base/net/resolver.h"
#include "base/result.h"
#include "conf/config.h"
#include "proxy/config_change.h"
#include "proxy/disk_group.h"
#include "proxy/flow/mark_file.h"
#include "proxy/flow/site.h"

namespace weir {

class Runtime {
  // A backend and what is its kind's alone.
  struct Opened {
    std::shared_ptr<backends::Backend> backend;
    std::shared_ptr<backends::RamBackend> ram;  // the same one; null: it is none
    std::optional<backends::OpenedDisk> disk;
    std::string why_absent;                       // of a disk that cannot be used, in words
    std::shared_ptr<flow::Fleets::Member> fleet;  // of a Redis backend
  };
  using ByName = std::unordered_map<std::string, Opened>;

 public:
  // What another configuration amounts to, before it is in force. Dropped, it leaves nothing.
  class Next {
   public:
    const std::shared_ptr<const flow::Site>& site() const { return site_; }

   private:
    friend class Runtime;
    ConfigChange change_;
    ByName backends_;
    std::unique_ptr<flow::MarkFile> marks_;  // of a first disk where there was none
    std::shared_ptr<const flow::Site> site_;
  };

  // Opens the backends. What fails says why in a sentence; a disk whose medium cannot be used does
  // not fail: the log says that it is done without. `loop` is the main thread's.
  static Result<std::unique_ptr<Runtime>> open(const std::shared_ptr<const conf::Config>& config,
                                               EventLoop& loop);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  flow::SharedTables& tables() { return *tables_; }
  const std::shared_ptr<const flow::Site>& site() const { return site_; }

  // Opens what is not there yet; what is there goes on as it is. `change` leads from the
  // configuration in force to this one. What fails says why, also a disk that cannot be used.
  Result<Next> prepare(std::shared_ptr<const conf::Config> config, const ConfigChange& change);
  // Has it in force: backends that stay are resized, those that go are closed once no request uses
  // them any more. Loops are told by the caller.
  void use(Next next);

  // Every second or so: the disks do what was left to be done, and what nobody uses is closed.
  void tend();
  // No other instance waits for this one any more: it is about to end.
  void leave_fleets();

 private:
  // A backend that is no longer configured, while requests that began before still use it.
  struct Leaving {
    std::unique_ptr<flow::MarkFile> marks;  // hears of it until it has gone; or null
    std::string cache_dir;                  // empty: no disk
    // Until its last words are sent; or null.
    std::shared_ptr<flow::Fleets::Member> fleet;
    std::shared_ptr<backends::Backend> backend;
  };

  explicit Runtime(EventLoop& loop) : loop_(loop) {}
  Result<Opened> open_backend(const conf::Backend& backend);
  Result<Opened> open_redis(const conf::Backend& backend);
  static Opened without(const conf::Backend& backend, std::string why);
  Executor& executor();
  void open_purge_book(const conf::Config& config);
  std::shared_ptr<const flow::Site> site_of(std::shared_ptr<const conf::Config> config,
                                            std::shared_ptr<upstream::UpstreamPool> upstreams,
                                            const ByName& backends);
  std::shared_ptr<backends::Backend> as_one(std::vector<std::shared_ptr<backends::Backend>> tiers);
  std::vector<backends::OpenedDisk> disks_of(const conf::Config& config) const;
  void believe(const std::vector<backends::OpenedDisk>& disks) const;
  void tell_where_marks_are_missing(const conf::Config& config);
  Result<void> expect_same_disks(const conf::Config& config, const ConfigChange& change) const;
  void keep_marks_in(const backends::OpenedDisk& first);
  void resize(const conf::Backend& backend);
  void let_go(const conf::Backend& backend, bool with_marks);

  EventLoop& loop_;
  std::unique_ptr<ThreadPool> executor_;  // where there is a backend that blocks
  // Names are looked up on a thread of their own: no disk waits for one that takes long.
  std::unique_ptr<ThreadPool> naming_;
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<flow::SharedTables> tables_;
  std::uint64_t book_ = 0;                 // the seed, and number, of tables_->purges
  std::unique_ptr<flow::MarkFile> marks_;  // where there is a disk; of tables_->purges
  const std::shared_ptr<DiskGroup> disks_ = std::make_shared<DiskGroup>();
  ByName backends_;
  std::vector<Leaving> leaving_;
  // Tiers that are used as one, by all routes and by requests that a reload has left behind: only
  // what goes through the same one sees what the others change meanwhile (backends/tiered.h).
  std::map<std::vector<const backends::Backend*>, std::weak_ptr<backends::Backend>> tiered_;
  std::shared_ptr<const flow::Site> site_;
};

}  // namespace weir
