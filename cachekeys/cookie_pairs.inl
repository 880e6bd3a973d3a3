// Included by normalize.h. Cookie fields are read as servers read them, with nothing lost: split
// at ';' whatever quotes say, a pair without '=' is a cookie of that name with an empty value.
#pragma once

#include "base/text.h"
#include "cachekeys/field_lines.h"

namespace weir::keys {

template <class Visit>
void for_each_cookie(const http::RequestHead& head, Visit&& visit) {
  for_each_line(head, http::FieldId::Cookie, [&](std::string_view line) {
    while (!line.empty()) {
      const std::size_t end = line.find(';');
      const std::string_view pair = trim_ows(line.substr(0, end));
      line = end == line.npos ? std::string_view{} : line.substr(end + 1);
      if (pair.empty()) continue;
      const std::size_t equals = pair.find('=');
      if (equals == pair.npos) {
        visit(Cookie{pair, {}});
      } else {
        visit(Cookie{trim_ows(pair.substr(0, equals)), trim_ows(pair.substr(equals + 1))});
      }
    }
  });
}

}  // namespace weir::keys
