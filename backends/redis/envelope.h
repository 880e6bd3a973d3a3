// What stands before an object's record in Redis (docs/REDIS_FORMAT.md). The record is the codec's
// (backends/record.h), undated; with a body of more than kInsideBytes it is its head alone, and the
// body lies in pieces of their own. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "backends/redis/stream_position.h"
#include "base/result.h"

namespace weir::backends::redis {

// A body up to this size lies in the object's own value.
inline constexpr std::uint64_t kInsideBytes = std::uint64_t{64} << 10U;

struct Envelope {
  // The expiry that it was written with: less what is left of it, how long it has lain there.
  std::int64_t expire_ms = 0;
  // Of the fleet's log of purges: what its writer had applied when the fetch began.
  LogPosition position = {};
  // Of the body's pieces; 0: the body is inside.
  std::uint64_t generation = 0;
};

inline constexpr std::size_t kEnvelopeBytes = 56;

std::string write_envelope(const Envelope& envelope);
// Takes it off the front of `in`, which then begins with the record. Corrupt: it is none of ours,
// or of another version, or has changed.
Result<Envelope> read_envelope(std::string_view& in);

// What lies under a value's key while it is being computed: a lease, and the log's position when it
// was given.
struct LeaseValue {
  LogPosition position = {};
  std::string_view token;
};
std::string write_lease(const LeaseValue& lease);
// Views of it. Corrupt: it is none.
Result<LeaseValue> read_lease(std::string_view in);
// What begins all of them.
std::string lease_head();
// The script that does `then` if the lease under KEYS[1] is held by the token ARGV[2] (ARGV[1] is
// lease_head()), and answers 1; else 0.
std::string if_lease_is_held(std::string_view then);

// Before each piece of a body: none is taken for another.
inline constexpr std::size_t kPieceHeadBytes = 24;
std::string write_piece_head(std::uint64_t generation, std::uint64_t index);
// The piece's bytes; Corrupt: it is not that piece. What they are is told by their checksum.
Result<std::string_view> read_piece(std::string_view in, std::uint64_t generation,
                                    std::uint64_t index);

}  // namespace weir::backends::redis
