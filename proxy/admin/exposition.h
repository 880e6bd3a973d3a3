// Figures in the text format that Prometheus reads: families with their samples. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/metrics/histogram.h"

namespace weir::admin {

class Exposition {
 public:
  enum class Kind : std::uint8_t { Counter, Gauge, Histogram };
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // Begins one: what follows are its samples. `name` and `help` are literals; the latter has no
  // line's end.
  void family(std::string_view name, Kind kind, std::string_view help);
  // Values may be any text, and are made valid UTF-8.
  void sample(Labels labels, std::uint64_t value);
  void sample(Labels labels, double value);
  // A whole histogram, in seconds.
  void sample(Labels labels, const metrics::Durations& durations);

  const std::string& text() const { return text_; }

 private:
  void add(std::string_view suffix, Labels labels, std::string_view bound, std::string_view value);
  void add_label(std::string_view name, std::string_view value, bool first);

  std::string_view name_;
  std::string text_;
};

}  // namespace weir::admin
