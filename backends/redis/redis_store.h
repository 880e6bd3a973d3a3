// A Redis backend on one loop: two links to its server, one for what is small and one for bodies of
// many pieces, so that no large reply holds up a small one. Lives on its loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "backends/backend.h"
#include "backends/redis/link.h"
#include "backends/redis/redis_shared.h"
#include "base/life.h"

namespace weir::backends::redis {

class RedisStore final : public Store {
 public:
  RedisStore(std::shared_ptr<RedisShared> shared, EventLoop& loop);
  ~RedisStore() override;

  bool answers_now() const override { return false; }
  bool is_shared() const override { return true; }
  EntryRef lookup_now(keys::KeyView, Purpose) override { return nullptr; }
  Lookup lookup(keys::KeyView key, Purpose purpose, LookupWaiter& waiter) override;
  std::expected<std::unique_ptr<Reservation>, StoreResult> admit(
      std::optional<std::uint64_t> body_bytes) override;
  Storing store(EntryRef entry, std::unique_ptr<Reservation> reservation, const StoreTerms& terms,
                StoreWaiter& waiter) override;
  EraseResult erase(keys::KeyView key) override;
  Listing list(char first_byte, std::uint64_t from, ListWaiter& waiter) override;
  // Bodies are cut into pieces here.
  std::uint64_t most_whole() const override { return shared_->options().max_object_size; }
  std::expected<std::unique_ptr<Inflow>, StoreResult> open_inflow(
      std::optional<std::uint64_t>) override {
    return std::unexpected(StoreResult::TooLarge);
  }

  // ---- for bodies and look-ups ----

  Link& small() { return small_; }
  Link& large() { return large_; }
  RedisShared& shared() { return *shared_; }
  // Whether what the server that small() leads to has may be used.
  bool may_read() const { return shared_->positions().may_read(small_.run_id()); }
  EventLoop& loop() { return loop_; }
  // Removes what stands there; it is not believed until that is confirmed.
  void remove(const std::string& name);
  // Removes all that has the backend's prefix, little by little.
  void sweep();

 private:
  class Looking;
  class Scanning;
  class Sweep;
  struct Write;

  std::int64_t expire_ms_of(const Entry& entry, const StoreTerms& terms) const;
  Commands commands_for(const Entry& entry, const std::string& name, std::int64_t expire_ms,
                        const LogPosition& position) const;

  void write_ended(std::uint64_t number, Link::Replies replies);
  StoreResult result_of(const Link::Replies& replies);

  const std::shared_ptr<RedisShared> shared_;
  EventLoop& loop_;
  Link small_;
  Link large_;
  // Changes that are under way; they go on when nobody wants to hear of them.
  std::unordered_map<std::uint64_t, std::unique_ptr<Write>> writes_;
  std::uint64_t next_write_ = 0;
  std::unique_ptr<Sweep> sweep_;
  Life<RedisStore> life_{*this};
};

}  // namespace weir::backends::redis
