// The two fields that say where a message ends, read in one way only (RFC 9112 6, RFC 9110 8.6).
// Pure; any thread. Shared by requests and responses, which differ in the status of the refusal.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::http {

// 1*DIGIT of at most 18 digits, so that sums of two lengths cannot overflow; no list, no sign.
std::optional<std::uint64_t> parse_content_length(std::string_view value);

enum class TransferCoding : std::uint8_t {
  Chunked,    // `chunked` once and nothing else
  Unknown,    // a well-formed list that needs a coding Weir lacks
  Malformed,  // bad syntax, parameters, `chunked` twice or not last
};
TransferCoding parse_transfer_encoding(std::string_view value);

// Whether `name` is Content-Length or Transfer-Encoding with '_' for '-': servers that hand fields
// to programs as variables cannot tell the two apart.
bool is_framing_alias(std::string_view name);

}  // namespace weir::http
