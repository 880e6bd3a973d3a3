#include "conf/units.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <span>

#include "base/log.h"
#include "base/text.h"

namespace weir::conf {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Smallest first.
constexpr std::array<Unit, 5> kSizeUnits = {
    {{"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}, {"TiB", 1ULL << 40}}};
constexpr std::array<Unit, 5> kTimeUnits = {
    {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

struct Quantity {
  std::string_view digits;
  std::string_view unit;
};

Quantity split(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  return {text.substr(0, end), text.substr(end)};
}

// The value in the smallest unit; empty when the unit is unknown or it does not fit.
std::optional<std::uint64_t> parse_quantity(std::string_view text, std::span<const Unit> units,
                                            std::uint64_t factor_without_unit) {
  const Quantity parts = split(text);
  const std::optional<std::uint64_t> number = parse_decimal(parts.digits);
  if (!number) return std::nullopt;
  std::uint64_t factor = parts.unit.empty() ? factor_without_unit : 0;
  for (const Unit& unit : units) {
    if (unit.name == parts.unit) factor = unit.factor;
  }
  if (factor == 0 || *number > UINT64_MAX / factor) return std::nullopt;
  return *number * factor;
}

// What the writer of "64 MB" meant.
std::string suggest_size(std::string_view text) {
  const Quantity parts = split(trim_ows(text));
  const std::string unit = to_lower(trim_ows(parts.unit));
  if (parts.digits.empty() || parts.digits.size() > 15 || unit.empty()) return "64MiB";
  for (const Unit& candidate : kSizeUnits) {
    if (ascii_lower(candidate.name[0]) == unit[0]) {
      return fmt::format("{}{}", parts.digits, candidate.name);
    }
  }
  return "64MiB";
}

// The value of "1h30m" and the like; empty when it is not that.
std::optional<std::uint64_t> parse_sum(std::string_view text) {
  std::uint64_t sum = 0;
  while (!text.empty()) {
    const std::size_t unit = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::size_t end = std::min(text.find_first_of("0123456789 ", unit), text.size());
    const auto part = parse_quantity(text.substr(0, end), kTimeUnits, 0);
    if (!part || *part > static_cast<std::uint64_t>(kMaxSeconds) * 1'000) return std::nullopt;
    sum += *part;
    text = trim_ows(text.substr(end));
  }
  return sum;
}

// What the writer of "5 minutes" meant.
std::string suggest_duration(std::string_view text) {
  constexpr std::string_view kExample = "30s; the units are ms, s, m, h and d";
  if (const auto sum = parse_sum(trim_ows(text)); sum && *sum > 0)
    return format_duration(static_cast<std::int64_t>(*sum));
  const Quantity parts = split(trim_ows(text));
  const std::string unit = to_lower(trim_ows(parts.unit));
  const std::optional<std::uint64_t> number = parse_decimal(parts.digits);
  if (!number || unit.empty() || unit.starts_with("mo") || *number > 1'000'000)
    return std::string(kExample);
  if (unit[0] == 'w') return fmt::format("{}d", *number * 7);
  if (unit.starts_with("ms") || unit.starts_with("mil")) return fmt::format("{}ms", *number);
  for (const std::string_view name : {"s", "m", "h", "d"}) {
    if (unit.starts_with(name)) return fmt::format("{}{}", *number, name);
  }
  return std::string(kExample);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  const std::optional<std::uint64_t> bytes = parse_quantity(text, kSizeUnits, 1);
  if (bytes) return *bytes;
  const std::string meant = suggest_size(text);
  if (meant == text) {  // nothing wrong with the spelling
    return fail(ErrorCode::Invalid, fmt::format("{} is too large (at most {}TiB)", quote(text),
                                                UINT64_MAX / kSizeUnits.back().factor));
  }
  return fail(ErrorCode::Invalid, fmt::format("{} is not a size (try {})", quote(text), meant));
}

Result<std::int64_t> parse_duration_ms(std::string_view text) {
  const std::optional<std::uint64_t> ms = parse_quantity(text, kTimeUnits, 1'000);
  if (!ms) {
    return fail(ErrorCode::Invalid,
                fmt::format("{} is not a duration (try {})", quote(text), suggest_duration(text)));
  }
  if (*ms > static_cast<std::uint64_t>(kMaxSeconds) * 1'000) {
    return fail(ErrorCode::Invalid,
                fmt::format("{} is too long (at most {}s)", quote(text), kMaxSeconds));
  }
  return static_cast<std::int64_t>(*ms);
}

std::string format_size(std::uint64_t bytes) {
  std::size_t at = kSizeUnits.size() - 1;
  while (at > 0 && bytes < kSizeUnits[at].factor) --at;
  for (std::size_t exact = at; exact + 1 > 0; --exact) {
    const Unit& unit = kSizeUnits[exact];
    const std::uint64_t count = bytes / unit.factor;
    if (bytes % unit.factor == 0 && count < 10'000) return fmt::format("{}{}", count, unit.name);
    if (exact == 0) break;
  }
  const Unit& unit = kSizeUnits[at];
  return fmt::format("{:.1f}{}", static_cast<double>(bytes) / static_cast<double>(unit.factor),
                     unit.name);
}

std::string format_duration(std::int64_t ms) {
  if (ms == 0) return "0s";
  for (std::size_t at = kTimeUnits.size(); at-- > 0;) {
    const auto factor = static_cast<std::int64_t>(kTimeUnits[at].factor);
    if (ms % factor == 0) return fmt::format("{}{}", ms / factor, kTimeUnits[at].name);
  }
  return fmt::format("{}ms", ms);
}

}  // namespace weir::conf
