#include "proxy/metrics/counts.h"

#include <algorithm>
#include <utility>

namespace weir::metrics {
namespace {

constexpr std::size_t kKeyPlaces = 256;
constexpr std::size_t kKeyBytes = 256;
constexpr std::size_t kReasonPlaces = 256;
constexpr std::size_t kReasonBytes = 256;
// The most frequent ones, that is: of the others the counts say little.
constexpr std::size_t kShown = 50;

// A key of the table of reasons. None of its parts has a line's end: subjects are names of fields,
// cookies and the like.
std::string joined(std::string_view route, std::string_view detail, std::string_view subject) {
  std::string key;
  key.reserve(route.size() + detail.size() + subject.size() + 2);
  key.append(detail).append(1, '\n').append(route).append(1, '\n').append(subject);
  return key;
}

ReasonCount split(const HeavyHitters::Item& item) {
  const std::string_view key = item.key;
  const std::size_t first = key.find('\n');
  const std::size_t second = std::min(key.find('\n', first + 1), key.size());
  return {.route = std::string(key.substr(first + 1, second - first - 1)),
          .detail = std::string(key.substr(0, first)),
          .subject = std::string(key.substr(std::min(second + 1, key.size()))),
          .count = item.count};
}

// Adds up what several loops say of the same thing, and keeps the most frequent.
template <class Item, class Name>
void merge(std::vector<Item>& items, const Name& name) {
  std::ranges::sort(items, {}, name);
  std::vector<Item> merged;
  for (Item& item : items) {
    if (!merged.empty() && name(merged.back()) == name(item)) {
      merged.back().count += item.count;
    } else {
      merged.push_back(std::move(item));
    }
  }
  std::ranges::stable_sort(merged, std::ranges::greater{}, &Item::count);
  if (merged.size() > kShown) merged.resize(kShown);
  items = std::move(merged);
}

}  // namespace

std::uint64_t RouteTotals::requests_of(policy::Verdict verdict) const {
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : requests) {
    if (kind.verdict == verdict) sum += count;
  }
  return sum;
}

// ---- a route's ----

void RouteCounts::count(const Ended& ended) {
  if (ended.detail.empty()) return count_plain(ended.verdict, ended.status, ended.bytes);
  bytes_[static_cast<std::size_t>(ended.verdict)].add(ended.bytes);
  count_detailed({ended.verdict, class_of(ended.status), ended.detail});
}

void RouteCounts::count_detailed(const RequestKind& kind) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(detailed_, kind, &Detailed::kind);
  if (found != detailed_.end()) {
    ++found->count;
  } else {
    detailed_.push_back({kind, 1});
  }
}

void RouteCounts::add_to(RouteTotals& sum) const {
  for (std::size_t verdict = 0; verdict < kVerdicts; ++verdict) {
    sum.bytes[verdict] += bytes_[verdict].value();
    for (std::size_t status_class = 0; status_class < kStatusClasses; ++status_class) {
      const std::uint64_t count = plain_[verdict][status_class].value();
      const RequestKind kind{static_cast<policy::Verdict>(verdict), status_class, {}};
      if (count > 0) sum.requests[kind] += count;
    }
  }
  const std::lock_guard lock(mutex_);
  for (const Detailed& detailed : detailed_) sum.requests[detailed.kind] += detailed.count;
}

// ---- a loop's ----

LoopCounts::LoopCounts() : keys_(kKeyPlaces, kKeyBytes), reasons_(kReasonPlaces, kReasonBytes) {}

RouteCounts& LoopCounts::of_route(std::string_view name) {
  const std::lock_guard lock(mutex_);
  for (const auto& route : routes_) {
    if (route->route() == name) return *route;
  }
  if (routes_.size() > kMostRoutes) return *routes_.back();
  const std::string_view kept = routes_.size() == kMostRoutes ? "(others)" : name;
  return *routes_.emplace_back(std::make_unique<RouteCounts>(std::string(kept)));
}

void LoopCounts::count(RouteCounts* route, const Ended& ended) {
  using policy::Verdict;
  RouteCounts& counts = route ? *route : unrouted_;
  counts.count(ended);
  if (ended.total_us >= 0) {
    durations_[static_cast<std::size_t>(ended.verdict)].count(ended.total_us);
  }
  if (ended.upstream_ms >= 0) upstream_.count(ended.upstream_ms * 1000);
  if (ended.collapsed) collapsed_.add();
  const bool passed = ended.verdict == Verdict::Miss || ended.verdict == Verdict::Bypass;
  if (!passed || ended.detail.empty()) return;
  reasons_.count(joined(counts.route(), ended.detail, ended.subject));
}

void LoopCounts::count_url(std::string_view authority, std::string_view target) {
  url_.assign(authority.substr(0, kKeyBytes));
  url_.append(target.substr(0, kKeyBytes));
  keys_.count(url_);
}

void LoopCounts::add_to(Totals& sum) const {
  for (std::size_t i = 0; i < kVerdicts; ++i) durations_[i].add_to(sum.durations[i]);
  upstream_.add_to(sum.upstream);
  sum.collapsed += collapsed_.value();
  sum.clients_accepted += accepted_.value();
  sum.clients_refused += refused_.value();
  unrouted_.add_to(sum.routes[""]);
  const std::lock_guard lock(mutex_);
  for (const auto& route : routes_) route->add_to(sum.routes[route->route()]);
}

void LoopCounts::add_top_to(Totals& sum) const {
  for (const HeavyHitters::Item& item : reasons_.items()) sum.reasons.push_back(split(item));
  for (HeavyHitters::Item& item : keys_.items()) {
    sum.keys.push_back({std::move(item.key), item.count * kSampled});
  }
}

// ---- the process's ----

LoopCounts& Counts::add_loop() {
  const std::lock_guard lock(mutex_);
  return *loops_.emplace_back(std::make_unique<LoopCounts>());
}

Totals Counts::total() const {
  Totals sum;
  const std::lock_guard lock(mutex_);
  for (const auto& loop : loops_) loop->add_to(sum);
  return sum;
}

void Counts::add_top(Totals& sum) const {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& loop : loops_) loop->add_top_to(sum);
  }
  merge(sum.reasons,
        [](const ReasonCount& item) { return std::tie(item.detail, item.route, item.subject); });
  merge(sum.keys, [](const KeyCount& item) { return std::string_view(item.url); });
}

}  // namespace weir::metrics
