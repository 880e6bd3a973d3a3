#include "proxy/admin/exposition.h"

#include <prometheus/text_serializer.h>

#include <limits>

#include "proxy/admin/json.h"

namespace weir::admin {
namespace {

prometheus::MetricType type_of(Exposition::Kind kind) {
  switch (kind) {
    case Exposition::Kind::Counter:
      return prometheus::MetricType::Counter;
    case Exposition::Kind::Gauge:
      return prometheus::MetricType::Gauge;
    case Exposition::Kind::Histogram:
      break;
  }
  return prometheus::MetricType::Histogram;
}

}  // namespace

void Exposition::family(std::string_view name, Kind kind, std::string_view help) {
  prometheus::MetricFamily& added = families_.emplace_back();
  added.name = name;
  added.help = help;
  added.type = type_of(kind);
}

void Exposition::sample(Labels labels, std::uint64_t value) {
  sample(labels, static_cast<double>(value));
}

void Exposition::sample(Labels labels, double value) {
  prometheus::ClientMetric& metric = add(labels);
  if (families_.back().type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

// Each bucket counts what lies below its bound as well; the last one is everything.
void Exposition::sample(Labels labels, const metrics::Durations& durations) {
  constexpr double kPerSecond = 1'000'000;
  prometheus::ClientMetric::Histogram& histogram = add(labels).histogram;
  histogram.bucket.reserve(metrics::kDurationClasses);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < metrics::kDurationClasses; ++i) {
    below += durations.classes[i];
    const bool last = i == metrics::kDurationBounds_us.size();
    const double bound = last ? std::numeric_limits<double>::infinity()
                              : static_cast<double>(metrics::kDurationBounds_us[i]) / kPerSecond;
    histogram.bucket.push_back({below, bound});
  }
  histogram.sample_count = below;
  histogram.sample_sum = static_cast<double>(durations.sum_us) / kPerSecond;
}

std::string Exposition::text() const {
  return prometheus::TextSerializer().Serialize(families_);
}

prometheus::ClientMetric& Exposition::add(Labels labels) {
  prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
  metric.label.reserve(labels.size());
  for (const auto& [name, value] : labels) {
    metric.label.push_back({std::string(name), valid_utf8(value)});
  }
  return metric;
}

}  // namespace weir::admin
