// Places in the fleet's log of purges. Plain values.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::backends::redis {

// The id of an entry of a Redis Stream.
struct StreamPosition {
  std::uint64_t ms = 0;
  std::uint64_t number = 0;

  friend auto operator<=>(const StreamPosition&, const StreamPosition&) = default;
  // "1526919030474-55".
  std::string text() const { return fmt::format("{}-{}", ms, number); }
  // Whose order as text is their own.
  std::string padded() const { return fmt::format("{:020}-{:020}", ms, number); }
};

// So much of that log: every log has a number of its own.
struct LogPosition {
  std::uint64_t log = 0;
  StreamPosition at;
};

// The number of a log as it stands there; 0: it is none.
inline std::uint64_t read_hex(std::string_view text) {
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return out;
}

// Of either text; empty: it is none.
inline std::optional<StreamPosition> read_position(std::string_view text) {
  StreamPosition out;
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto read = [](std::string_view digits, std::uint64_t& number) {
    const auto [at, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return error == std::errc() && at == digits.data() + digits.size() && !digits.empty();
  };
  if (!read(text.substr(0, dash), out.ms) || !read(text.substr(dash + 1), out.number)) {
    return std::nullopt;
  }
  return out;
}

}  // namespace weir::backends::redis
