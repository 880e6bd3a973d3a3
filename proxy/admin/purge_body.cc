#include "proxy/admin/purge_body.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"

namespace weir::admin {
namespace {

using Kind = flow::PurgeOrder::Kind;
using Order = std::expected<flow::PurgeOrder, JsonFault>;

struct What {
  std::string_view field;
  Kind kind;
};
constexpr std::array kWhat = {What{"url", Kind::Url}, What{"prefix", Kind::Prefix},
                              What{"match", Kind::Match}, What{"tags", Kind::Tags},
                              What{"all", Kind::All}};
constexpr std::array<std::string_view, 6> kFields = {"url",  "prefix", "match",
                                                     "tags", "all",    "soft"};
constexpr std::string_view kOneOf = "needs one of url, prefix, match, tags, all";
// No app asks for so many, and each is a mark.
constexpr std::size_t kMostTags = 1000;

std::unexpected<JsonFault> fault(std::string_view field, std::string_view message) {
  return std::unexpected(JsonFault{std::string(field), std::string(message)});
}

std::expected<std::vector<std::string>, JsonFault> read_tags(const Json& value) {
  if (!value.is_array() || value.empty()) return fault("tags", "is a list such as [\"post-7\"]");
  if (value.size() > kMostTags) return fault("tags", "has more than 1000 tags");
  std::vector<std::string> tags;
  for (const Json& tag : value) {
    if (!tag.is_string()) return fault("tags", "has an item that is no text");
    const std::string text = tag.get<std::string>();
    const std::string_view trimmed = trim_ows(text);  // as those of a response are
    if (trimmed.empty()) return fault("tags", "has an empty item");
    const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7F; };
    if (std::ranges::any_of(trimmed, is_control)) {
      return fault("tags", "has an item that holds a control character");
    }
    tags.emplace_back(trimmed);
  }
  return tags;
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
  } else if (named->kind == Kind::Tags) {
    auto tags = read_tags(value);
    if (!tags) return std::unexpected(tags.error());
    order.tags = std::move(*tags);
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
