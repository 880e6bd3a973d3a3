// Removes all objects that have a prefix from a server, with SCAN and UNLINK, a batch at a time:
// others are served between two batches. Lives on its loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "backends/redis/redis_store.h"

namespace weir::backends::redis {

class RedisStore::Sweep {
 public:
  explicit Sweep(RedisStore& store) : store_(store) { scan("0"); }
  bool is_done() const { return call_ == nullptr; }

 private:
  void scan(const std::string& from);
  void on_names(const Link::Replies& replies);

  RedisStore& store_;
  std::uint64_t master_ = 0;             // which of them is being swept
  std::unique_ptr<PendingAnswer> call_;  // null: it is done, or has failed
  Link::Started removing_;
};

}  // namespace weir::backends::redis
