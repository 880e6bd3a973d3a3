// HTTP dates (RFC 9110 5.6.7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::http {

// IMF-fixdate of seconds since 1970, clamped to the years 1970 to 9999.
std::string format_date(std::int64_t unix_s);
// All three forms, without case (RFC 9111 4.2), in GMT only. A two-digit year more than 50 years
// ahead of `now_s` is a past one. The name of the weekday is not compared with the date.
std::optional<std::int64_t> parse_date(std::string_view text, std::int64_t now_s);

}  // namespace weir::http
