// A Redis backend on one loop: what is asked of its servers, and what their answers mean. Lives on
// its loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "backends/backend.h"
#include "backends/redis/redis_shared.h"
#include "backends/redis/servers.h"
#include "base/life.h"

namespace weir::backends::redis {

class RedisStore final : public Store {
 public:
  RedisStore(std::shared_ptr<RedisShared> shared, EventLoop& loop);
  ~RedisStore() override;

  bool answers_now() const override { return false; }
  bool is_shared() const override { return true; }
  bool is_cut_off() const override {
    return shared_->options().drops_when_cut_off && !shared_->positions().is_live();
  }
  EntryRef lookup_now(keys::KeyView, Purpose) override { return nullptr; }
  Lookup lookup(keys::KeyView key, Purpose purpose, LookupWaiter& waiter) override;
  std::expected<std::unique_ptr<Reservation>, StoreResult> admit(
      std::optional<std::uint64_t> body_bytes) override;
  Storing store(EntryRef entry, std::unique_ptr<Reservation> reservation, const StoreTerms& terms,
                StoreWaiter& waiter) override;
  EraseResult erase(keys::KeyView key) override;
  std::uint64_t erasures() const override { return next_write_; }
  std::unique_ptr<PendingAnswer> when_erased(std::uint64_t since, ErasedTold told) override;
  Listing list(char first_byte, std::uint64_t from, ListWaiter& waiter) override;
  std::unique_ptr<PendingAnswer> claim(keys::KeyView key, std::int64_t for_ms,
                                       ClaimWaiter& waiter) override;
  std::unique_ptr<PendingAnswer> lease(keys::KeyView key, const LeaseTerms& terms,
                                       LeaseTold told) override;
  std::unique_ptr<PendingAnswer> find_lease(keys::KeyView key, std::string_view token,
                                            LeaseFound found) override;
  std::unique_ptr<PendingAnswer> end_lease(keys::KeyView key, std::string_view token,
                                           LeaseEnded ended) override;
  // Bodies are cut into pieces here.
  std::uint64_t most_whole() const override { return shared_->options().max_object_size; }
  std::expected<std::unique_ptr<Inflow>, StoreResult> open_inflow(
      std::optional<std::uint64_t>) override {
    return std::unexpected(StoreResult::TooLarge);
  }

  // ---- for bodies and look-ups ----

  Servers& servers() { return *servers_; }
  RedisShared& shared() { return *shared_; }
  // Whether what a server said in that run of it may be used.
  bool may_read(std::string_view run);
  EventLoop& loop() { return loop_; }
  // Removes what stands there; it is not believed until that is confirmed. False: nobody can be
  // asked to.
  bool remove(const std::string& name);
  // Removes all that has the backend's prefix, little by little.
  void sweep();

 private:
  class Looking;
  class Asking;
  class HeldClaim;
  class Scanning;
  class Sweep;
  struct Erasures;
  struct Write;

  // What is to be sent for an object: its pieces, of which there may be none, and its value.
  struct Parcel {
    std::string first_piece = {};  // its name
    Commands pieces = {};
    Commands value = {};
  };

  std::int64_t expire_ms_of(const Entry& entry, const StoreTerms& terms) const;
  Parcel parcel_of(const Entry& entry, const std::string& name, const StoreTerms& terms,
                   const LogPosition& position) const;
  bool send(std::uint64_t number, Servers::Load load, const std::string& name, Commands commands);

  void forget_parcel(std::uint64_t number);
  void write_went_on(std::uint64_t number, const Link::Replies& replies);
  void write_ended(std::uint64_t number, StoreResult result);
  StoreResult result_of(const Link::Replies& replies, bool is_removal);

  const std::shared_ptr<RedisShared> shared_;
  EventLoop& loop_;
  const std::unique_ptr<Servers> servers_;
  // Changes that are under way; they go on when nobody wants to hear of them.
  std::unordered_map<std::uint64_t, std::unique_ptr<Write>> writes_;
  std::uint64_t next_write_ = 0;
  // Of those, by their names, the ones whose value waits for its pieces.
  std::unordered_multimap<std::string, std::uint64_t> parcels_;
  std::unique_ptr<Sweep> sweep_;
  Life<RedisStore> life_{*this};
};

}  // namespace weir::backends::redis
