// Who of all instances fetches what the server lacks: a name of its own in the object's slot, which
// holds the claim of one of them, or what became of it (docs/REDIS_FORMAT.md).
#include <string>
#include <utility>

#include "backends/redis/names.h"
#include "backends/redis/redis_asking.h"
#include "backends/redis/redis_store.h"
#include "base/random.h"

namespace weir::backends::redis {
namespace {

// In place of a claim: what was fetched is for one visitor alone. So long nobody waits.
constexpr std::string_view kRefused = "!";
constexpr std::string_view kRefused_ms = "10000";

}  // namespace

class RedisStore::HeldClaim final : public Claim {
 public:
  HeldClaim(Weak<RedisStore> store, std::string name, std::string token)
      : store_(std::move(store)), name_(std::move(name)), token_(std::move(token)) {}
  ~HeldClaim() override {
    if (!is_held_) return;
    change("if redis.call('GET',KEYS[1])==ARGV[1] then redis.call('UNLINK',KEYS[1]) end");
  }
  void is_others() { is_held_ = false; }
  void refuse() override {
    change(
        "if redis.call('GET',KEYS[1])==ARGV[1] then "
        "redis.call('SET',KEYS[1],ARGV[2],'PX',ARGV[3]) end");
  }

 private:
  // If it is held still. Where nobody hears of it, its time will end it.
  void change(std::string_view script) {
    RedisStore* const store = store_.get();
    if (!store) return;
    Commands commands;
    commands.add({"EVAL", script, "1", name_, token_, kRefused, kRefused_ms});
    [[maybe_unused]] const auto unheard = store->servers().call(
        Servers::Load::Small, name_, std::move(commands), [](const auto&, auto) {});
  }

  const Weak<RedisStore> store_;
  const std::string name_;
  const std::string token_;
  bool is_held_ = true;  // or may be
};

// Whoever drops the handle before it is answered may have been given it: it goes with what hears.
std::unique_ptr<PendingAnswer> RedisStore::claim(keys::KeyView key, std::int64_t for_ms,
                                                 ClaimWaiter& waiter) {
  using Status = Claimed::Status;
  const std::string name = claim_name(shared_->options().prefix, key.bytes);
  const std::string token = std::to_string(random_number());
  Commands commands;
  commands.add({"SET", name, token, "NX", "PX", std::to_string(for_ms)}).add({"GET", name});
  auto claim = std::make_unique<HeldClaim>(life_.watch(), name, token);
  return Asking::begin(
      *this, name, std::move(commands),
      [&waiter, token, claim = std::move(claim)](const std::vector<Reply>* replies) mutable {
        if (!replies || (*replies)[0].is_error() || (*replies)[1].is_error()) {
          return waiter.on_claimed({});
        }
        const std::string_view holder = (*replies)[1].bytes();
        if (holder == token) return waiter.on_claimed({Status::Mine, std::move(claim)});
        claim->is_others();
        waiter.on_claimed({holder == kRefused ? Status::Refused : Status::Others});
      });
}

}  // namespace weir::backends::redis
