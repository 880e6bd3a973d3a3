// Entries in memory: sharded by key hash, one short lock a shard, S3-FIFO by bytes (a small, a main
// and a ghost queue; Yang et al., SOSP 2023), limits global over the shards. lookup_now never
// allocates. Bytes of entries that readers still hold stay charged after eviction.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "backends/backend.h"

namespace weir::backends {

struct RamOptions {
  std::string name = "ram";
  std::uint64_t max_size = 64 * 1024 * 1024;         // bytes, bookkeeping included
  std::uint64_t threshold = 0;                       // objects; 0 = no bound
  std::uint64_t max_object_size = 16 * 1024 * 1024;  // bytes of body
  std::int64_t default_expire_s = 300;
};

class RamBackend : public Backend {
 public:
  // Goes by these from now on, but for the name. What is too much by them has left when this
  // returns, a few at a time, so that nobody waits for all of it. One caller at a time.
  virtual void resize(const RamOptions& options) = 0;
};

std::shared_ptr<RamBackend> make_ram_backend(const RamOptions& options);

}  // namespace weir::backends
