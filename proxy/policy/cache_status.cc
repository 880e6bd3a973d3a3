#include "proxy/policy/cache_status.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/check.h"

namespace weir::policy {
namespace {

// The field's value while it grows: every answer has one, so it is written in one go. Longer than
// the longest there can be.
class Line {
 public:
  void add(std::string_view text) {
    const std::size_t left = static_cast<std::size_t>(bytes_.end() - end_);
    WEIR_CHECK(text.size() <= left);
    end_ = std::copy(text.begin(), text.end(), end_);
  }
  template <class Integer>
  void add_number(Integer value) {
    const auto [end, error] = std::to_chars(end_, bytes_.end(), value);
    WEIR_CHECK(error == std::errc());
    end_ = end;
  }
  std::string_view text() const { return {bytes_.begin(), end_}; }

 private:
  std::array<char, 256> bytes_;
  char* end_ = bytes_.begin();
};

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
  Line line;
  line.add("weir");
  if (outcome.hit) {
    line.add("; hit");
  } else if (outcome.forward != Forward::None) {
    line.add("; fwd=");
    line.add(token(outcome.forward));
    if (outcome.forward_status != 0) {
      line.add("; fwd-status=");
      line.add_number(outcome.forward_status);
    }
    // RFC 9211 2.5, 2.6: both speak of a request that was forwarded.
    if (outcome.stored) line.add("; stored");
    if (outcome.collapsed) line.add("; collapsed");
  }
  if (outcome.has_ttl) {
    line.add("; ttl=");
    line.add_number(outcome.ttl_s);
  }
  if (outcome.detail) {
    line.add("; detail=");
    line.add(token(outcome.detail.reason));
  }
  out.append(line.text());
}

std::string_view token(Verdict verdict) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(Verdict::Count)> kWords = {
      "", "hit", "stale", "miss", "bypass"};
  WEIR_CHECK(verdict < Verdict::Count);
  return kWords[static_cast<std::size_t>(verdict)];
}

Verdict verdict_of(const CacheOutcome& outcome) {
  if (outcome.hit) return served_stale(outcome) ? Verdict::Stale : Verdict::Hit;
  switch (outcome.forward) {
    case Forward::Bypass:
    case Forward::Method:
      return Verdict::Bypass;
    // Neither a hit nor forwarded: Weir's own answer. It was a look-up that found nothing when the
    // client had asked for a stored answer only.
    case Forward::None:
      return outcome.detail.reason == Reason::OnlyIfCached ? Verdict::Miss : Verdict::Bypass;
    default:
      return Verdict::Miss;
  }
}

}  // namespace weir::policy
