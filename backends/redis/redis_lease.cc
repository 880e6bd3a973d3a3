// Who of all instances computes a value: a lease that lies under the value's own name, and is
// exchanged for the value by a script (docs/REDIS_FORMAT.md).
#include <string>
#include <utility>

#include "backends/redis/envelope.h"
#include "backends/redis/names.h"
#include "backends/redis/redis_asking.h"
#include "backends/redis/redis_store.h"

namespace weir::backends::redis {
namespace {

// 1: it is the caller's. 0: another one is held. 2: something lies there, and is to stay.
constexpr std::string_view kLease =
    "local had=redis.call('GET',KEYS[1]) "
    "if had and string.sub(had,1,#ARGV[1])==ARGV[1] then return 0 end "
    "if had and ARGV[4]=='' then return 2 end "
    "redis.call('SET',KEYS[1],ARGV[2],'PX',ARGV[3]) return 1";

}  // namespace

std::unique_ptr<PendingAnswer> RedisStore::lease(keys::KeyView key, const LeaseTerms& terms,
                                                 LeaseTold told) {
  const std::string name = object_name(shared_->options().prefix, key.bytes);
  const auto position = shared_->positions().shared(terms.seq);
  const std::string value = write_lease({position.value_or(LogPosition{}), terms.token});
  Commands commands;
  commands.add({"EVAL", kLease, "1", name, lease_head(), value, std::to_string(terms.for_ms),
                terms.takes_place ? "yes" : ""});
  return Asking::begin(
      *this, name, std::move(commands),
      [told = std::move(told)](const std::vector<Reply>* replies) mutable {
        if (!replies || replies->front().type != Reply::Type::Integer) {
          return told(LeaseResult::Unknown);
        }
        const std::int64_t said = replies->front().integer;
        told(said == 1 ? LeaseResult::Mine : said == 0 ? LeaseResult::Others : LeaseResult::There);
      });
}

std::unique_ptr<PendingAnswer> RedisStore::find_lease(keys::KeyView key, std::string_view token,
                                                      LeaseFound found) {
  const std::string name = object_name(shared_->options().prefix, key.bytes);
  Commands commands;
  commands.add({"GET", name});
  return Asking::begin(*this, name, std::move(commands),
                       [this, token = std::string(token),
                        found = std::move(found)](const std::vector<Reply>* replies) mutable {
                         if (!replies) return found(LeaseResult::Unknown, 0);
                         const auto lease = read_lease(replies->front().bytes());
                         const auto seq = lease && lease->token == token
                                              ? shared_->positions().own(lease->position)
                                              : std::nullopt;
                         found(seq ? LeaseResult::Mine : LeaseResult::Others, seq.value_or(0));
                       });
}

std::unique_ptr<PendingAnswer> RedisStore::end_lease(keys::KeyView key, std::string_view token,
                                                     LeaseEnded ended) {
  const std::string name = object_name(shared_->options().prefix, key.bytes);
  Commands commands;
  commands.add(
      {"EVAL", if_lease_is_held("redis.call('UNLINK',KEYS[1])"), "1", name, lease_head(), token});
  return Asking::begin(
      *this, name, std::move(commands),
      [ended = std::move(ended)](const std::vector<Reply>* replies) mutable {
        if (!replies) return ended(LeaseResult::Unknown);
        ended(replies->front().integer == 1 ? LeaseResult::Mine : LeaseResult::Others);
      });
}

}  // namespace weir::backends::redis
