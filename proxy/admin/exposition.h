// Figures in the text format that Prometheus reads: families with their samples, which
// prometheus-cpp's serialiser writes. Pure.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/metrics/histogram.h"

namespace weir::admin {

class Exposition {
 public:
  enum class Kind : std::uint8_t { Counter, Gauge, Histogram };
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // Begins one: what follows are its samples. `name` and `help` are literals; the latter has no
  // line's end.
  void family(std::string_view name, Kind kind, std::string_view help);
  // Values may be any text, and are made valid UTF-8. A figure above 2^53 is rounded: the format's
  // numbers are doubles.
  void sample(Labels labels, std::uint64_t value);
  void sample(Labels labels, double value);
  // A whole histogram, in seconds.
  void sample(Labels labels, const metrics::Durations& durations);

  std::string text() const;

 private:
  prometheus::ClientMetric& add(Labels labels);

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace weir::admin
