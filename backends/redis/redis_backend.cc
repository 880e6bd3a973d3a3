#include "backends/redis/redis_backend.h"

#include "backends/redis/redis_shared.h"
#include "backends/redis/redis_store.h"

namespace weir::backends {
namespace {

class RedisBackend final : public Backend {
 public:
  RedisBackend(const RedisOptions& options, const RedisSeams& seams)
      : shared_(std::make_shared<redis::RedisShared>(options, seams)) {}

  const std::string& name() const override { return shared_->options().name; }
  std::unique_ptr<Store> attach(EventLoop& loop) override {
    return std::make_unique<redis::RedisStore>(shared_, loop);
  }
  // Little by little.
  void clear() override { shared_->sweep(); }

  std::uint64_t max_object_size() const override { return shared_->options().max_object_size; }
  std::int64_t default_expire_s() const override { return shared_->options().default_expire_s; }
  BackendStats stats() const override { return shared_->stats(); }

 private:
  const std::shared_ptr<redis::RedisShared> shared_;
};

}  // namespace

std::shared_ptr<Backend> make_redis_backend(const RedisOptions& options, const RedisSeams& seams) {
  return std::make_shared<RedisBackend>(options, seams);
}

}  // namespace weir::backends
