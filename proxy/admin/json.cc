#include "proxy/admin/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace weir::admin {
namespace {

// Each level is a call of the parser's own.
constexpr int kMostDepth = 16;

std::string listed(std::span<const std::string_view> fields) {
  std::string out;
  for (const std::string_view field : fields) out.append(out.empty() ? "" : ", ").append(field);
  return out;
}

}  // namespace

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string valid_utf8(std::string_view text) {
  const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json::parse(quoted).get<std::string>();
}

std::expected<Json, JsonFault> read_object(std::string_view text,
                                           std::span<const std::string_view> fields) {
  std::array<std::set<std::string>, kMostDepth + 2> seen;  // in the object of each depth
  std::string doubled;
  bool too_deep = false;
  const auto look = [&](int depth, Json::parse_event_t event, const Json& value) {
    too_deep = too_deep || depth > kMostDepth;
    if (too_deep) return false;
    const auto at = static_cast<std::size_t>(depth);
    if (event == Json::parse_event_t::object_start) seen[at + 1].clear();
    if (event == Json::parse_event_t::key && !seen[at].insert(value.get<std::string>()).second) {
      doubled = value.get<std::string>();
    }
    return true;
  };
  Json json = Json::parse(text, look, false);
  if (too_deep) return std::unexpected(JsonFault{"", "is nested too deeply"});
  if (json.is_discarded() || !json.is_object()) {
    return std::unexpected(JsonFault{"", "the body is no JSON object"});
  }
  if (!doubled.empty()) return std::unexpected(JsonFault{doubled, "is given twice"});
  for (const auto& [name, value] : json.items()) {
    if (std::ranges::find(fields, name) != fields.end()) continue;
    return std::unexpected(
        JsonFault{name, fmt::format("is not known here (there are: {})", listed(fields))});
  }
  return json;
}

}  // namespace weir::admin
