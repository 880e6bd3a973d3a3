// What somebody asks of the low-level cache: a request to /v1/keys, read. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/http/message.h"
#include "proxy/values/value_pattern.h"

namespace weir::values {

// Longer names are refused. A request line has 8 KiB as a rule, and escapes are three bytes each.
inline constexpr std::size_t kMostNameBytes = 2048;

struct ValueCall {
  enum class Kind : std::uint8_t {
    Get,           // the value
    GetOrLease,    // the value, or the right to compute it
    Set,           // PUT
    GetOrSet,      // POST
    Clear,         // one value
    ClearPattern,  // every value whose name matches
    ClearAll,      // every value
    EndLease,      // the computation failed
    List,
  };
  Kind kind = Kind::Get;
  std::string name;      // of those that are about one value
  ValuePattern pattern;  // ClearPattern, List
  std::optional<std::string> backend;
  std::optional<std::int64_t> duration_s;  // Set, GetOrSet; at least 1
  std::int64_t lease_ms = 0;               // GetOrLease: how long it is the caller's,
  std::int64_t wait_ms = 0;                // and how long he waits for another's
  std::optional<std::string> token;        // EndLease; Set, GetOrSet: the lease of which it is
  std::size_t limit = 100;                 // List: entries, about
  std::string cursor;                      // List; empty: from the beginning
};

struct ValueFault {
  int status = 400;
  std::string field;
  std::string message;
};

// Whether this path is the low-level cache's.
bool is_value_path(std::string_view path);

// `path` is one of those, as it came.
std::expected<ValueCall, ValueFault> read_value_call(http::Method method, std::string_view path,
                                                     std::string_view query);

// What Allow says of a path of those.
std::string_view allowed_methods(std::string_view path);

}  // namespace weir::values
