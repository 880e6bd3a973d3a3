// The Cache-Status field (RFC 9211) that says what Weir did with a request and why.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/policy/reason.h"

namespace weir::policy {

// RFC 9211 2.2: why a request went to the app.
enum class Forward : std::uint8_t {
  None,
  Bypass,
  Method,
  UriMiss,
  VaryMiss,
  Miss,
  Stale,
  Request,
  Partial
};
std::string_view token(Forward forward);

struct CacheOutcome {
  bool hit = false;
  Forward forward = Forward::None;
  std::uint16_t forward_status =
      0;  // the app's status, when it differs from the one sent; 0: left out
  bool stored = false;
  bool collapsed = false;
  std::int64_t ttl_s = 0;
  bool has_ttl = false;
  Refusal detail = {};  // why; its token is the parameter, the subject is for the log
};

// "weir; hit; ttl=57", "weir; fwd=uri-miss; stored; ttl=300". Parameters come in the order hit or
// fwd, fwd-status, stored, collapsed, ttl, detail. Appends; no allocation of its own.
void append_cache_status(std::string& out, const CacheOutcome& outcome);

// The outcome in one word, for logs and figures.
enum class Verdict : std::uint8_t {
  None,   // nobody looked: Weir itself has refused the request
  Hit,    // served fresh
  Stale,  // served past its freshness
  Miss,
  Bypass,
  Count
};
std::string_view token(Verdict verdict);  // empty for None
Verdict verdict_of(const CacheOutcome& outcome);

}  // namespace weir::policy
