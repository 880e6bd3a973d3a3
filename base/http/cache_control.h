// Cache-Control and its targeted relatives, parsed into one struct each way (RFC 9111 5.2, 5861,
// 9213). Names compare without case. The safe reading wins: a malformed delta-seconds counts as 0,
// one past 2^31 as 2^31, and of a repeated directive the most restrictive value (RFC 9111 4.2.1).
// Plain values; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/message.h"

namespace weir::http {

struct ResponseCacheControl {
  std::optional<std::int64_t> max_age_s;
  std::optional<std::int64_t> s_maxage_s;
  std::optional<std::int64_t> stale_while_revalidate_s;  // RFC 5861 3
  std::optional<std::int64_t> stale_if_error_s;          // RFC 5861 4
  bool no_store = false;
  bool no_cache = false;                     // unqualified
  std::vector<std::string> no_cache_fields;  // no-cache="a, b", lower case
  bool is_private = false;                   // qualified or not: the safe reading of both
  bool is_public = false;
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  bool must_understand = false;
  bool no_transform = false;
  bool immutable = false;
  bool any = false;  // a field of this name was present
};

struct RequestCacheControl {
  std::optional<std::int64_t> max_age_s;
  std::optional<std::int64_t> min_fresh_s;
  std::optional<std::int64_t> max_stale_s;  // INT64_MAX for max-stale without a value
  bool no_cache = false;
  bool no_store = false;
  bool only_if_cached = false;
};

ResponseCacheControl parse_response_cache_control(const HeaderBlock& fields,
                                                  FieldId id = FieldId::CacheControl);
// RFC 9213: CDN-Cache-Control is a Structured Field dictionary; invalid = absent (any == false), of
// equal keys the last wins, and a delta that is no integer is as if it were not there.
ResponseCacheControl parse_cdn_cache_control(const HeaderBlock& fields);
// Cache-Control, and Pragma: no-cache where there is none.
RequestCacheControl parse_request_cache_control(const RequestHead& head);

}  // namespace weir::http
