// The body of a large object in Redis: its pieces, of a block each, read one by one on the loop of
// whoever reads. Any thread, as backends/far_body.h says.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backends/far_body.h"
#include "backends/redis/redis_shared.h"

namespace weir::backends::redis {

class RedisBody final : public FarBody {
 public:
  // Where it lies, and what it is to be.
  struct Pieces {
    std::string key;  // of its object
    std::uint64_t generation = 0;
    std::uint64_t bytes = 0;
    std::vector<std::uint64_t> sums;  // of its blocks
  };
  RedisBody(std::shared_ptr<RedisShared> shared, Pieces pieces)
      : shared_(std::move(shared)), pieces_(std::move(pieces)) {}

  std::uint64_t size() const override { return pieces_.bytes; }
  std::uint64_t readable() const override { return pieces_.bytes; }
  Ref<const Chunk> block_now(std::uint64_t) const override { return nullptr; }
  std::unique_ptr<PendingAnswer> read_block(std::uint64_t index, EventLoop& loop,
                                            Waiter& waiter) const override;

 private:
  class Reading;

  const std::shared_ptr<RedisShared> shared_;
  const Pieces pieces_;
};

}  // namespace weir::backends::redis
