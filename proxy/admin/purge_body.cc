#include "proxy/admin/purge_body.h"

#include <array>
#include <string>

namespace weir::admin {
namespace {

using Kind = flow::PurgeOrder::Kind;
using Order = std::expected<flow::PurgeOrder, JsonFault>;

struct What {
  std::string_view field;
  Kind kind;
};
constexpr std::array kWhat = {What{"url", Kind::Url}, What{"prefix", Kind::Prefix},
                              What{"match", Kind::Match}, What{"all", Kind::All}};
constexpr std::array<std::string_view, 5> kFields = {"url", "prefix", "match", "all", "soft"};
constexpr std::string_view kOneOf = "needs one of url, prefix, match, all";

std::unexpected<JsonFault> fault(std::string_view field, std::string_view message) {
  return std::unexpected(JsonFault{std::string(field), std::string(message)});
}

}  // namespace

Order read_purge(std::string_view body) {
  const auto json = read_object(body, kFields);
  if (!json) return std::unexpected(json.error());
  flow::PurgeOrder order;
  const What* named = nullptr;
  for (const What& what : kWhat) {
    if (!json->contains(what.field)) continue;
    if (named) return fault(what.field, std::string("stands beside ") + std::string(named->field));
    named = &what;
  }
  if (!named) return fault("", kOneOf);
  const Json& value = (*json)[named->field];
  order.kind = named->kind;
  if (named->kind == Kind::All) {
    if (value != true) return fault("all", "is true, or left out");
  } else {
    if (!value.is_string()) return fault(named->field, "is a text");
    order.text = value.get<std::string>();
  }
  if (json->contains("soft")) {
    const Json& soft = (*json)["soft"];
    if (!soft.is_boolean()) return fault("soft", "is true or false");
    order.soft = soft.get<bool>();
  }
  return order;
}

std::string_view name_of(Kind kind) {
  for (const What& what : kWhat) {
    if (what.kind == kind) return what.field;
  }
  return "";
}

}  // namespace weir::admin
