// What is counted of the requests on the main address, by the loop that serves them, and what that
// comes to. Each loop writes counts of its own and shares no cache line with another; whoever
// wants to know adds them up. Counts never go back: they belong to the process, and those of a
// route to its name, so that a reload goes on with them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "proxy/metrics/counter.h"
#include "proxy/metrics/heavy_hitters.h"
#include "proxy/metrics/histogram.h"
#include "proxy/policy/cache_status.h"

namespace weir::metrics {

inline constexpr std::size_t kVerdicts = static_cast<std::size_t>(policy::Verdict::Count);
// Of statuses: none was sent, 1xx, 2xx … 5xx.
inline constexpr std::size_t kStatusClasses = 6;

// A request that has ended. Views for the call only, but for `detail`.
struct Ended {
  policy::Verdict verdict = policy::Verdict::None;
  int status = 0;                 // sent; 0: none
  std::string_view detail{};      // a literal, or a reason's token
  std::string_view subject{};     // what that is about
  std::uint64_t bytes = 0;        // of the response's body
  std::int64_t total_us = -1;     // below 0: it says nothing, as of a tunnel
  std::int64_t upstream_ms = -1;  // until the app's head; below 0: the app was not asked for it
  bool collapsed = false;         // it shared another's fetch
};

// How often requests of one kind have come.
struct RequestKind {
  policy::Verdict verdict = policy::Verdict::None;
  std::size_t status_class = 0;
  std::string_view detail;
  friend auto operator<=>(const RequestKind&, const RequestKind&) = default;
};
struct RouteTotals {
  std::map<RequestKind, std::uint64_t> requests;
  std::array<std::uint64_t, kVerdicts> bytes{};

  std::uint64_t requests_of(policy::Verdict verdict) const;
};

// Why requests were not served from memory, and what that is about.
struct ReasonCount {
  std::string route;
  std::string detail;
  std::string subject;
  std::uint64_t count = 0;
};
struct KeyCount {
  std::string url;  // authority and target
  std::uint64_t count = 0;
};

// What all loops have counted. A value.
struct Totals {
  std::map<std::string, RouteTotals> routes;  // "": of no route
  std::array<Durations, kVerdicts> durations;
  Durations upstream;
  std::uint64_t collapsed = 0;
  std::uint64_t clients_accepted = 0;
  std::uint64_t clients_refused = 0;
  std::vector<ReasonCount> reasons;  // the most frequent first
  std::vector<KeyCount> keys;        // the same; estimated from samples
};

// Of one route on one loop, which alone counts.
class alignas(64) RouteCounts {
 public:
  explicit RouteCounts(std::string route) : route_(std::move(route)) {}
  RouteCounts(const RouteCounts&) = delete;
  RouteCounts& operator=(const RouteCounts&) = delete;

  const std::string& route() const { return route_; }
  void count(const Ended& ended);
  // Without a detail.
  void count_plain(policy::Verdict verdict, int status, std::uint64_t bytes) {
    const auto at = static_cast<std::size_t>(verdict);
    bytes_[at].add(bytes);
    plain_[at][class_of(status)].add();
  }
  // Any thread.
  void add_to(RouteTotals& sum) const;

 private:
  struct Detailed {
    RequestKind kind;
    std::uint64_t count = 0;
  };
  static std::size_t class_of(int status) {
    return status >= 100 && status < 600 ? static_cast<std::size_t>(status / 100) : 0;
  }
  void count_detailed(const RequestKind& kind);

  const std::string route_;
  // Without a detail, as a hit is.
  std::array<std::array<Counter, kStatusClasses>, kVerdicts> plain_;
  std::array<Counter, kVerdicts> bytes_;
  mutable std::mutex mutex_;
  std::vector<Detailed> detailed_;  // guarded by mutex_
};

// Of one loop, which alone counts.
class alignas(64) LoopCounts {
 public:
  LoopCounts();
  LoopCounts(const LoopCounts&) = delete;
  LoopCounts& operator=(const LoopCounts&) = delete;

  // Those of the route of this name: the same ones each time. Live as long as this. Routes that a
  // reload takes away keep theirs; past so many names of them all others share one.
  static constexpr std::size_t kMostRoutes = 4096;
  RouteCounts& of_route(std::string_view name);
  // `route`: one of this loop's, or null: none matched, or nobody looked.
  void count(RouteCounts* route, const Ended& ended);
  // A hit, which is a few additions; or another request of which there is no more to say.
  void count_plain(RouteCounts* route, policy::Verdict verdict, int status, std::uint64_t bytes,
                   std::int64_t total_us) {
    (route ? *route : unrouted_).count_plain(verdict, status, bytes);
    if (total_us >= 0) durations_[static_cast<std::size_t>(verdict)].count(total_us);
  }
  // Whether the URL of the request that is counted now is wanted: of one in kSampled.
  bool wants_url() {
    if (--until_sample_ > 0) return false;
    until_sample_ = kSampled;
    return true;
  }
  void count_url(std::string_view authority, std::string_view target);
  void client_accepted() { accepted_.add(); }
  void client_refused() { refused_.add(); }

  // Any thread. All but reasons and keys:
  void add_to(Totals& sum) const;
  // these, in no order, those of several loops beside each other.
  void add_top_to(Totals& sum) const;

 private:
  static constexpr int kSampled = 32;

  std::array<Histogram, kVerdicts> durations_;
  Histogram upstream_;
  Counter collapsed_;
  Counter accepted_;
  Counter refused_;
  int until_sample_ = 1;
  std::string url_;  // a buffer
  HeavyHitters keys_;
  HeavyHitters reasons_;
  RouteCounts unrouted_{""};
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<RouteCounts>> routes_;  // guarded by mutex_; grows only
};

// Of the process. Any thread.
class Counts {
 public:
  // For one more loop; lives as long as this.
  LoopCounts& add_loop();
  // All but reasons and keys, which others count in tables under a lock:
  Totals total() const;
  // these are added to `sum`.
  void add_top(Totals& sum) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<LoopCounts>> loops_;  // guarded by mutex_
};

}  // namespace weir::metrics
