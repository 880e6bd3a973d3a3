// What is sent for an object that is stored: its value, for how long, and the pieces of its body.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "backends/record.h"
#include "backends/redis/envelope.h"
#include "backends/redis/names.h"
#include "backends/redis/redis_store.h"
#include "base/random.h"

namespace weir::backends::redis {

// How long the server is to have it: as long as it is of use, and what is kept to be validated.
std::int64_t RedisStore::expire_ms_of(const Entry& entry, const StoreTerms& terms) const {
  constexpr std::int64_t kMost_s = std::int64_t{365} * 24 * 3600;
  const RedisOptions& options = shared_->options();
  const EntryMeta meta = entry.meta();
  const std::int64_t age_s = meta.initial_age_s + (loop_.now_ms() - meta.response_ms) / 1000;
  const std::int64_t fresh_s = meta.lifetime_s.value_or(options.default_expire_s) - age_s;
  const std::int64_t windows_s =
      std::max(meta.stale_while_revalidate_s.value_or(0), meta.stale_if_error_s.value_or(0));
  const std::int64_t useful_s =
      std::max<std::int64_t>(terms.useful_s.value_or(fresh_s + windows_s), 0);
  return std::clamp<std::int64_t>(useful_s + options.keep_s, 1, kMost_s) * 1000;
}

namespace {

// With a lease only in its place: 0 is said where it is not there any more.
void add_value(Commands& commands, const std::string& name, const std::string& value,
               const std::string& expire, const std::string& lease) {
  if (lease.empty()) {
    commands.add({"SET", name, value, "PX", expire});
  } else {
    commands.add({"EVAL", if_lease_is_held("redis.call('SET',KEYS[1],ARGV[3],'PX',ARGV[4])"), "1",
                  name, lease_head(), lease, value, expire});
  }
}

}  // namespace

RedisStore::Parcel RedisStore::parcel_of(const Entry& entry, const std::string& name,
                                         const StoreTerms& terms,
                                         const LogPosition& position) const {
  const RedisOptions& options = shared_->options();
  Envelope envelope{.expire_ms = expire_ms_of(entry, terms), .position = position};
  const std::string expire = std::to_string(envelope.expire_ms);
  const RecordTime time = RecordTime::undated(loop_.now_ms());
  Parcel out;
  if (entry.body_size() <= kInsideBytes) {
    add_value(out.value, name, write_envelope(envelope) + encode(entry, time), expire, terms.lease);
    return out;
  }
  envelope.generation = std::max<std::uint64_t>(random_number(), 1);
  std::vector<std::uint64_t> sums;
  const auto add_piece = [&](std::string_view block) {
    const std::uint64_t index = sums.size();
    sums.push_back(block_checksum(block));
    const std::string bytes = write_piece_head(envelope.generation, index).append(block);
    const std::string piece =
        piece_name(options.prefix, entry.key().bytes, envelope.generation, index);
    if (index == 0) out.first_piece = piece;
    out.pieces.add({"SET", piece, bytes, "PX", expire});
  };
  std::string block;
  for (std::size_t i = 0; i < entry.body_parts(); ++i) {
    std::string_view part = entry.body_part(i);
    while (!part.empty()) {
      const std::size_t taken = std::min(part.size(), FarBody::kBlockBytes - block.size());
      block.append(part.substr(0, taken));
      part.remove_prefix(taken);
      if (block.size() < FarBody::kBlockBytes) continue;
      add_piece(block);
      block.clear();
    }
  }
  if (!block.empty()) add_piece(block);
  add_value(out.value, name, write_envelope(envelope) + encode_head(entry, sums, time), expire,
            terms.lease);
  return out;
}

}  // namespace weir::backends::redis
