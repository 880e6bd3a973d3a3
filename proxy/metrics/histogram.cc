#include "proxy/metrics/histogram.h"

#include <numeric>

namespace weir::metrics {

std::uint64_t Durations::count() const {
  return std::accumulate(classes.begin(), classes.end(), std::uint64_t{0});
}

double Durations::quantile_us(double share) const {
  const double wanted = share * static_cast<double>(count());
  double below = 0;  // how many are in the classes before
  double from_us = 0;
  for (std::size_t i = 0; i < kDurationBounds_us.size(); ++i) {
    const auto here = static_cast<double>(classes[i]);
    const auto to_us = static_cast<double>(kDurationBounds_us[i]);
    if (here > 0 && below + here >= wanted) {
      return from_us + (to_us - from_us) * (wanted - below) / here;
    }
    below += here;
    from_us = to_us;
  }
  return classes.back() > 0 ? from_us : 0;  // the last class has no end
}

void Histogram::add_to(Durations& sum) const {
  for (std::size_t i = 0; i < kDurationClasses; ++i) sum.classes[i] += classes_[i].value();
  sum.sum_us += sum_us_.value();
}

}  // namespace weir::metrics
