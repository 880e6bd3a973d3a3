#include "cachekeys/weights.h"

namespace weir::keys {
namespace {

int parse_qvalue(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return kMalformedWeight;
  int weight = (text[0] - '0') * kFullWeight;
  if (text.size() == 1) return weight;
  if (text[1] != '.') return kMalformedWeight;
  // More than three digits are against the grammar but harmless, and sent by some clients.
  int unit = 100;
  for (const char c : text.substr(2)) {
    if (c < '0' || c > '9') return kMalformedWeight;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return weight > kFullWeight ? kMalformedWeight : weight;
}

}  // namespace

bool is_weight_parameter(std::string_view parameter) {
  return !parameter.empty() && ascii_lower(parameter.front()) == 'q' &&
         trim_ows(parameter.substr(1)).starts_with('=');
}

Weighted parse_weighted(std::string_view element) {
  Weighted result;
  result.value = trim_ows(element.substr(0, element.find(';')));
  bool seen = false;
  for_each_weighted_parameter(element, [&](std::string_view parameter) {
    if (!is_weight_parameter(parameter)) {
      result.parameters = true;
      return;
    }
    const int weight = parse_qvalue(trim_ows(parameter.substr(parameter.find('=') + 1)));
    result.weight = seen ? kMalformedWeight : weight;
    seen = true;
  });
  return result;
}

}  // namespace weir::keys
