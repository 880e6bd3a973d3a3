#include "backends/redis/redis_body.h"

#include <cstring>
#include <utility>

#include "backends/record.h"
#include "backends/redis/envelope.h"
#include "backends/redis/names.h"
#include "backends/redis/redis_store.h"
#include "base/life.h"

namespace weir::backends::redis {

// A block on its way to one reader.
class RedisBody::Reading final : public PendingAnswer {
 public:
  Reading(Ref<const RedisBody> body, std::uint64_t index, Waiter& waiter)
      : body_(std::move(body)), index_(index), waiter_(waiter) {}

  void begin(EventLoop& loop) {
    RedisStore* const store = body_->shared_->store_on(loop);
    const Pieces& pieces = body_->pieces_;
    const std::string name =
        piece_name(body_->shared_->options().prefix, pieces.key, pieces.generation, index_);
    Commands commands;
    commands.add({"GET", name});
    if (store) {
      Link::Started call =
          store->servers().call(Servers::Load::Large, name, std::move(commands),
                                [this](const Link::Replies& replies, auto) { heard(replies); });
      if (call) {
        call_ = std::move(*call);
        return;
      }
    }
    // It is told later, as ever.
    loop.post([weak = life_.watch()] {
      if (Reading* const reading = weak.get()) reading->waiter_.on_block(nullptr);
    });
  }

 private:
  // The waiter may drop this object: nothing comes after.
  void heard(const Link::Replies& replies) {
    waiter_.on_block(replies ? block_of(replies->front()) : nullptr);
  }

  Ref<const Chunk> block_of(const Reply& reply) const {
    const Pieces& pieces = body_->pieces_;
    const auto bytes = read_piece(reply.bytes(), pieces.generation, index_);
    if (!bytes || bytes->empty() || block_checksum(*bytes) != pieces.sums[index_]) return nullptr;
    Ref<Chunk> chunk = Chunk::allocate(bytes->size());
    std::memcpy(chunk->free_space().data(), bytes->data(), bytes->size());
    chunk->advance(bytes->size());
    return chunk;
  }

  const Ref<const RedisBody> body_;
  const std::uint64_t index_;
  Waiter& waiter_;
  std::unique_ptr<PendingAnswer> call_;
  Life<Reading> life_{*this};
};

std::unique_ptr<PendingAnswer> RedisBody::read_block(std::uint64_t index, EventLoop& loop,
                                                     Waiter& waiter) const {
  auto reading = std::make_unique<Reading>(Ref<const RedisBody>(this), index, waiter);
  reading->begin(loop);
  return reading;
}

}  // namespace weir::backends::redis
