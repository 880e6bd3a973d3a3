#include "proxy/admin/top_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace weir::admin {
namespace {

constexpr std::size_t kMostReasons = 10;
constexpr std::size_t kMostKeys = 10;

// ---- figures as text ----

// With three digits at least where there are decimals.
std::string amount(double value) {
  if (value >= 100 || value == 0) return fmt::format("{:.0f}", value);
  return value >= 10 ? fmt::format("{:.1f}", value) : fmt::format("{:.2f}", value);
}

std::string count_text(double count) {
  return fmt::format("{:.0f}", count);
}

std::string bytes_text(double bytes) {
  static constexpr std::array<std::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", unit == 0 ? count_text(bytes) : amount(bytes), kUnits[unit]);
}

std::string share_text(double part, double whole) {
  return whole > 0 ? fmt::format("{:.1f} %", 100 * part / whole) : "-";
}

std::string time_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds);
  const std::int64_t days = whole / 86'400;
  const std::int64_t hours = whole / 3600 % 24;
  const std::int64_t minutes = whole / 60 % 60;
  if (days > 0) return fmt::format("{} d {} h", days, hours);
  if (hours > 0) return fmt::format("{} h {} min", hours, minutes);
  if (minutes > 0) return fmt::format("{} min {} s", minutes, whole % 60);
  return fmt::format("{} s", whole);
}

std::string latency_text(const metrics::Durations& durations, double share) {
  if (durations.count() == 0) return "-";
  constexpr double kPerMs = 1000;
  return fmt::format("{} ms", amount(durations.quantile_us(share) / kPerMs));
}

// What a terminal would obey is shown, and not sent to it: clients choose cookies and URLs.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte >= 0x7F ? '?' : c;
  }
  return out;
}

// ---- differences ----

// How much more there is of something. Where somebody is new, all of it.
template <class Item>
const Item* same(const std::vector<Item>* before, const std::string& name) {
  if (before == nullptr) return nullptr;
  const auto found = std::ranges::find(*before, name, &Item::name);
  return found == before->end() ? nullptr : &*found;
}

Sample::Counts difference(Sample::Counts now, const Sample::Counts* before) {
  if (before == nullptr) return now;
  const auto reduce = [&](double Sample::Counts::* field) {
    now.*field = std::max(now.*field - before->*field, 0.0);
  };
  for (const auto field : {&Sample::Counts::requests, &Sample::Counts::hits, &Sample::Counts::stale,
                           &Sample::Counts::misses, &Sample::Counts::bypasses,
                           &Sample::Counts::errors_5xx, &Sample::Counts::bytes_sent,
                           &Sample::Counts::bytes_from_cache, &Sample::Counts::coalesced}) {
    reduce(field);
  }
  return now;
}

metrics::Durations difference(metrics::Durations now, const metrics::Durations* before) {
  if (before == nullptr) return now;
  for (std::size_t i = 0; i < now.classes.size(); ++i) {
    now.classes[i] -= std::min(now.classes[i], before->classes[i]);
  }
  return now;
}

// ---- the view ----

class View {
 public:
  View(const Sample& now, const Sample* before)
      : now_(now),
        before_(before),
        seconds_(std::max(now.uptime_s - (before ? before->uptime_s : 0), 0.001)) {}

  void add_summary(std::string_view where);
  void add_latencies();
  void add_routes();
  void add_backends();
  void add_reasons();
  void add_keys();
  std::string text(ViewSize size) const;

 private:
  std::string rate(double more) const { return amount(more / seconds_) + "/s"; }
  void add_latency(std::string_view name, metrics::Durations Sample::* field);
  void add_route(const Sample::Counts& route);
  void add_backend(const Sample::Backend& backend);
  void add(std::string line) { lines_.push_back(std::move(line)); }

  const Sample& now_;
  const Sample* const before_;
  const double seconds_;
  std::vector<std::string> lines_;
};

void View::add_summary(std::string_view where) {
  const Sample::Counts all = difference(now_.totals, before_ ? &before_->totals : nullptr);
  const double looked_up = all.hits + all.stale + all.misses;
  add(fmt::format("weir {} at {}, up {}; {}", printable(now_.version), where,
                  time_text(now_.uptime_s),
                  before_ ? fmt::format("over {:.1f} s", seconds_) : "since the start"));
  add(fmt::format("requests {}   hit ratio {}   bypass {}   5xx {}   coalesced {}",
                  rate(all.requests), share_text(all.hits + all.stale, looked_up),
                  rate(all.bypasses), rate(all.errors_5xx), rate(all.coalesced)));
  add(fmt::format("sent {}/s, {} of it from the cache   clients {:.0f}   fetches shared {:.0f}",
                  bytes_text(all.bytes_sent / seconds_),
                  share_text(all.bytes_from_cache, all.bytes_sent), now_.clients, now_.flights));
  add(fmt::format("connections to the app {:.0f} of {:.0f} in use, {:.0f} requests wait for one",
                  now_.app_in_use, now_.app_most, now_.app_waiting));
}

void View::add_latency(std::string_view name, metrics::Durations Sample::* field) {
  const metrics::Durations durations =
      difference(now_.*field, before_ ? &(before_->*field) : nullptr);
  add(fmt::format("{:<24}{:>12}{:>12}{:>12}", name, latency_text(durations, 0.50),
                  latency_text(durations, 0.95), latency_text(durations, 0.99)));
}

void View::add_latencies() {
  add("");
  add(fmt::format("{:<24}{:>12}{:>12}{:>12}", "LATENCY", "p50", "p95", "p99"));
  add_latency("hits", &Sample::hit);
  add_latency("misses", &Sample::miss);
  add_latency("the app, to its head", &Sample::upstream);
}

void View::add_route(const Sample::Counts& route) {
  const Sample::Counts more =
      difference(route, same(before_ ? &before_->routes : nullptr, route.name));
  add(fmt::format("{:<24}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}",
                  route.name.empty() ? "(none matched)" : printable(route.name).substr(0, 23),
                  rate(more.requests),
                  share_text(more.hits + more.stale, more.hits + more.stale + more.misses),
                  rate(more.misses), rate(more.bypasses), rate(more.errors_5xx),
                  bytes_text(more.bytes_sent / seconds_) + "/s"));
}

// The busiest first.
void View::add_routes() {
  add("");
  add(fmt::format("{:<24}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}", "ROUTE", "requests", "hit ratio",
                  "misses", "bypass", "5xx", "sent"));
  std::vector<Sample::Counts> routes = now_.routes;
  std::ranges::stable_sort(routes, std::ranges::greater{}, &Sample::Counts::requests);
  for (const Sample::Counts& route : routes) {
    if (route.requests > 0 || !route.name.empty()) add_route(route);
  }
}

void View::add_backend(const Sample::Backend& backend) {
  const Sample::Backend* const old = same(before_ ? &before_->backends : nullptr, backend.name);
  const double hits = backend.hits - (old ? old->hits : 0);
  const double misses = backend.misses - (old ? old->misses : 0);
  std::string faults;
  if (backend.breaker_open) faults += "  FAILS: most look-ups miss, nothing is stored";
  if (backend.errors > 0) faults += fmt::format("  {:.0f} errors", backend.errors);
  if (backend.dropped > 0) faults += fmt::format("  {:.0f} writes dropped", backend.dropped);
  add(fmt::format("{:<24}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}{}",
                  fmt::format("{} ({})", printable(backend.name), backend.type).substr(0, 23),
                  count_text(backend.objects), bytes_text(backend.bytes),
                  share_text(backend.bytes, backend.max_bytes), share_text(hits, hits + misses),
                  rate(backend.stores - (old ? old->stores : 0)),
                  rate(backend.evictions - (old ? old->evictions : 0)), faults));
}

void View::add_backends() {
  add("");
  add(fmt::format("{:<24}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}", "BACKEND", "objects", "bytes",
                  "full", "hit ratio", "stores", "evictions"));
  for (const Sample::Backend& backend : now_.backends) add_backend(backend);
}

void View::add_reasons() {
  if (now_.reasons.empty()) return;
  add("");
  add("WHY NOT FROM THE CACHE (since the start)");
  for (std::size_t i = 0; i < std::min(now_.reasons.size(), kMostReasons); ++i) {
    const Sample::Reason& reason = now_.reasons[i];
    const std::string what = reason.subject.empty()
                                 ? reason.detail
                                 : fmt::format("{} {}", reason.detail, reason.subject);
    const std::string route = reason.route.empty() ? "no route" : reason.route;
    const bool both = !reason.yaml.empty() && !reason.advice.empty();
    add(fmt::format("{:>10}  {}, {}{}{}{}{}", count_text(reason.count), printable(what),
                    printable(route), reason.yaml.empty() && reason.advice.empty() ? "" : ": ",
                    printable(reason.yaml), both ? "  (" : "",
                    both ? printable(reason.advice) + ")" : printable(reason.advice)));
  }
}

void View::add_keys() {
  if (now_.keys.empty()) return;
  add("");
  add("KEYS ASKED FOR MOST (since the start, about)");
  for (std::size_t i = 0; i < std::min(now_.keys.size(), kMostKeys); ++i) {
    add(fmt::format("{:>10}  {}", count_text(now_.keys[i].count), printable(now_.keys[i].url)));
  }
}

std::string View::text(ViewSize size) const {
  const std::size_t rows = size.rows == 0 ? lines_.size() : std::min(size.rows, lines_.size());
  std::string out;
  for (std::size_t i = 0; i < rows; ++i) {
    out.append(lines_[i], 0, size.columns == 0 ? std::string::npos : size.columns);
    out += '\n';
  }
  return out;
}

}  // namespace

std::string draw_top(const Sample& now, const std::optional<Sample>& before, std::string_view where,
                     ViewSize size) {
  // Another instance has taken the first one's place: nothing is the difference to that.
  const bool same_instance = before && before->uptime_s < now.uptime_s;
  View view(now, same_instance ? &*before : nullptr);
  view.add_summary(where);
  view.add_latencies();
  view.add_routes();
  view.add_backends();
  view.add_reasons();
  view.add_keys();
  return view.text(size);
}

}  // namespace weir::admin
