#include "proxy/policy/cache_status.h"

#include <charconv>

namespace weir::policy {
namespace {

template <class Integer>
void append_number(std::string& out, Integer value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

bool served_stale(const CacheOutcome& outcome) {
  const Reason why = outcome.detail.reason;
  return why == Reason::StaleWhileRevalidate || why == Reason::StaleIfError ||
         why == Reason::StaleSlow || (outcome.has_ttl && outcome.ttl_s <= 0);
}

}  // namespace

std::string_view token(Forward forward) {
  switch (forward) {
    case Forward::None:
      return "";
    case Forward::Bypass:
      return "bypass";
    case Forward::Method:
      return "method";
    case Forward::UriMiss:
      return "uri-miss";
    case Forward::VaryMiss:
      return "vary-miss";
    case Forward::Miss:
      return "miss";
    case Forward::Stale:
      return "stale";
    case Forward::Request:
      return "request";
    case Forward::Partial:
      return "partial";
  }
  return "";
}

void append_cache_status(std::string& out, const CacheOutcome& outcome) {
  out += "weir";
  if (outcome.hit) {
    out += "; hit";
  } else if (outcome.forward != Forward::None) {
    out += "; fwd=";
    out += token(outcome.forward);
    if (outcome.forward_status != 0) {
      out += "; fwd-status=";
      append_number(out, outcome.forward_status);
    }
    // RFC 9211 2.5, 2.6: both speak of a request that was forwarded.
    if (outcome.stored) out += "; stored";
    if (outcome.collapsed) out += "; collapsed";
  }
  if (outcome.has_ttl) {
    out += "; ttl=";
    append_number(out, outcome.ttl_s);
  }
  if (outcome.detail) {
    out += "; detail=";
    out += token(outcome.detail.reason);
  }
}

std::string_view verdict_word(const CacheOutcome& outcome) {
  if (outcome.hit) return served_stale(outcome) ? "stale" : "hit";
  switch (outcome.forward) {
    case Forward::Bypass:
    case Forward::Method:
      return "bypass";
    // Neither a hit nor forwarded: Weir's own answer. It was a look-up that found nothing when the
    // client had asked for a stored answer only.
    case Forward::None:
      return outcome.detail.reason == Reason::OnlyIfCached ? "miss" : "bypass";
    default:
      return "miss";
  }
}

}  // namespace weir::policy
