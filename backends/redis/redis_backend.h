// Entries in a Redis server that several instances share (docs/REDIS_FORMAT.md): there after a
// restart, and as fast as the network. Nothing waits for it longer than its time-out, and what it
// does not say in time is a miss.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "backends/backend.h"
#include "backends/redis/stream_position.h"
#include "backends/redis/topology.h"
#include "base/net/resolver.h"

namespace weir::backends {

struct RedisOptions {
  std::string name = "redis";
  redis::Topology servers;
  std::string prefix = "cache:";
  std::int64_t default_expire_s = 300;
  std::int64_t timeout_ms = 50;                             // without progress of an operation
  std::int64_t keep_s = 3600;                               // beyond its time, to be validated
  std::uint64_t max_object_size = std::uint64_t{8} << 20U;  // bytes of body
  bool drops_when_cut_off =
      false;  // nearer tiers are not used while the fleet waits for us no more
};

// Positions of this instance's purge book, and of the log of purges that the fleet shares. Any
// thread.
class SharedPositions {
 public:
  virtual ~SharedPositions() = default;
  // Whether what a server holds may be used now, in that run of it (run_of).
  virtual bool may_read(std::string_view run) const = 0;
  // Whether whoever purges waits for this instance.
  virtual bool is_live() const = 0;
  // It may not. True: because it is another run than those that are known, so that a link may lead
  // to the wrong server, or the log does: that is looked at soon.
  virtual bool meet(std::string_view run) const = 0;
  // How much of the log had been applied when this instance's position was `own`. Empty: no log is
  // known yet, and nothing can be written.
  virtual std::optional<redis::LogPosition> shared(std::uint64_t own) const = 0;
  // The own position at which so much of it had been applied, or an earlier one. Empty: it cannot
  // be told, so that the entry is as if it were not there.
  virtual std::optional<std::uint64_t> own(const redis::LogPosition& shared) const = 0;
  // More is unknown of what a server holds than can be remembered: all of it is to be said stale.
  // Which time that is; nothing is read until resolved() has come so far.
  virtual std::uint64_t doubt() const = 0;
  virtual std::uint64_t resolved() const = 0;
  // A tag of all that comes from there (keys::tag_hash): of what the log says of the server itself.
  virtual std::uint64_t tag() const = 0;
};

// What it stands on. The resolver outlives it.
struct RedisSeams {
  Resolver& resolver;
  std::shared_ptr<const SharedPositions> positions;
};

// Connects when it is first used. Any thread.
std::shared_ptr<Backend> make_redis_backend(const RedisOptions& options, const RedisSeams& seams);

}  // namespace weir::backends
