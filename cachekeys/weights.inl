// Included by weights.h.
#pragma once

#include "base/text.h"

namespace weir::keys {

template <class Visit>
void for_each_weighted_parameter(std::string_view element, Visit&& visit) {
  for (std::size_t at = element.find(';'); at != element.npos;) {
    const std::size_t end = element.find(';', at + 1);
    const std::size_t size = end == element.npos ? element.npos : end - at - 1;
    const std::string_view parameter = trim_ows(element.substr(at + 1, size));
    if (!parameter.empty()) visit(parameter);
    at = end;
  }
}

}  // namespace weir::keys
