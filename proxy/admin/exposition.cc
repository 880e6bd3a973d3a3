#include "proxy/admin/exposition.h"

#include <fmt/format.h>

#include <array>

#include "proxy/admin/json.h"

namespace weir::admin {
namespace {

std::string_view word(Exposition::Kind kind) {
  static constexpr std::array<std::string_view, 3> kWords = {"counter", "gauge", "histogram"};
  return kWords[static_cast<std::size_t>(kind)];
}

std::string number(double value) {
  return fmt::format("{}", value);
}

}  // namespace

void Exposition::family(std::string_view name, Kind kind, std::string_view help) {
  name_ = name;
  fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help,
                 word(kind));
}

void Exposition::sample(Labels labels, std::uint64_t value) {
  add("", labels, "", std::to_string(value));
}

void Exposition::sample(Labels labels, double value) {
  add("", labels, "", number(value));
}

// Each bucket counts what lies below its bound as well; the last one is everything.
void Exposition::sample(Labels labels, const metrics::Durations& durations) {
  constexpr double kPerSecond = 1'000'000;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < metrics::kDurationClasses; ++i) {
    below += durations.classes[i];
    const bool last = i == metrics::kDurationBounds_us.size();
    const std::string bound =
        last ? "+Inf" : number(static_cast<double>(metrics::kDurationBounds_us[i]) / kPerSecond);
    add("_bucket", labels, bound, std::to_string(below));
  }
  add("_sum", labels, "", number(static_cast<double>(durations.sum_us) / kPerSecond));
  add("_count", labels, "", std::to_string(below));
}

void Exposition::add(std::string_view suffix, Labels labels, std::string_view bound,
                     std::string_view value) {
  text_.append(name_).append(suffix);
  bool first = true;
  for (const auto& [name, text] : labels) {
    add_label(name, text, first);
    first = false;
  }
  if (!bound.empty()) {
    add_label("le", bound, first);
    first = false;
  }
  if (!first) text_ += '}';
  text_.append(1, ' ').append(value).append(1, '\n');
}

void Exposition::add_label(std::string_view name, std::string_view value, bool first) {
  text_.append(1, first ? '{' : ',').append(name).append("=\"");
  for (const char c : valid_utf8(value)) {
    if (c == '\\' || c == '"') text_ += '\\';
    if (c == '\n') {
      text_ += "\\n";
    } else {
      text_ += c;
    }
  }
  text_ += '"';
}

}  // namespace weir::admin
