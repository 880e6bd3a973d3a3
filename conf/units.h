// Sizes and durations as people write them: `64MiB`, `512` (bytes); `30` (seconds), `250ms`, `5m`.
// One spelling each: what is merely similar is refused, with the spelling that was meant.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::conf {

// The longest duration, in seconds: RFC 9111 1.2.2 lets a cache count no further than this.
inline constexpr std::int64_t kMaxSeconds = 2'147'483'647;

// Bytes; the units are B, KiB, MiB, GiB and TiB, of 1024.
Result<std::uint64_t> parse_size(std::string_view text);
// Milliseconds; the units are ms, s, m, h and d, none is seconds.
Result<std::int64_t> parse_duration_ms(std::string_view text);

// In the largest unit that divides it, else rounded to one decimal.
std::string format_size(std::uint64_t bytes);
// In the largest unit that divides it.
std::string format_duration(std::int64_t ms);

}  // namespace weir::conf
