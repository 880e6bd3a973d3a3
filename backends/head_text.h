// A stored head's field lines as the text that goes on the wire: "Name: value\r\n" each.
#pragma once

#include <optional>
#include <string_view>

#include "base/http/message.h"
#include "base/text.h"

namespace weir::backends {

// Takes the first line from well-formed field lines; empty when there are none left.
inline std::optional<http::FieldView> take_field(std::string_view& lines) {
  const std::size_t end = lines.find("\r\n");
  const std::string_view line = lines.substr(0, end);
  const std::size_t colon = line.find(':');
  if (end == std::string_view::npos || colon == std::string_view::npos) return std::nullopt;
  lines.remove_prefix(end + 2);
  const std::string_view name = line.substr(0, colon);
  return http::FieldView{http::field_id(name), name, trim_ows(line.substr(colon + 1))};
}

}  // namespace weir::backends
