#include "cachekeys/tags.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"

namespace weir::keys {
namespace {

template <class Visit>
void for_each_between(std::string_view text, std::string_view separators, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    std::string_view tag = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t first = tag.find_first_not_of(" \t");
    if (first == std::string_view::npos) continue;
    tag = tag.substr(first, tag.find_last_not_of(" \t") - first + 1);
    visit(tag);
  }
}

}  // namespace

std::uint64_t tag_hash(std::string_view tag) {
  return std::max<std::uint64_t>(stable_hash64(tag), 1);
}

std::uint64_t group_hash(std::string_view scheme, std::string_view authority,
                         std::string_view group) {
  std::string text("\x01group\0", 7);
  text.append(scheme).append("://");
  text += to_lower(authority);
  text += '\0';
  return tag_hash(text.append(group));
}

void for_each_string(std::string_view list, const std::function<void(std::string_view)>& visit) {
  std::string text;
  bool inside = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const char c = list[i];
    if (inside && c == '\\' && i + 1 < list.size()) {
      text += list[++i];
    } else if (c == '"') {
      if (inside) visit(text);
      text.clear();
      inside = !inside;
    } else if (inside) {
      text += c;
    }
  }
}

std::vector<std::uint64_t> response_tags(const http::HeaderBlock& fields, std::string_view scheme,
                                         std::string_view authority,
                                         const std::vector<std::string>& of_route) {
  std::vector<std::uint64_t> tags;
  const auto add = [&](std::string_view tag) { tags.push_back(tag_hash(tag)); };
  for (const std::string& tag : of_route) add(tag);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const http::FieldView field = fields[i];
    switch (field.id) {
      case http::FieldId::CacheTag:
        for_each_between(field.value, ",", add);
        break;
      case http::FieldId::SurrogateKey:
        for_each_between(field.value, " \t", add);
        break;
      case http::FieldId::XKey:
        for_each_between(field.value, ", \t", add);
        break;
      case http::FieldId::CacheGroups:
        for_each_string(field.value, [&](std::string_view group) {
          add(group);
          tags.push_back(group_hash(scheme, authority, group));
        });
        break;
      default:
        break;
    }
  }
  std::ranges::sort(tags);
  const auto doubled = std::ranges::unique(tags);
  tags.erase(doubled.begin(), doubled.end());
  return tags;
}

void remove_tag_fields(http::HeaderBlock& fields) {
  fields.remove(http::FieldId::CacheTag);
  fields.remove(http::FieldId::SurrogateKey);
  fields.remove(http::FieldId::XKey);
}

}  // namespace weir::keys
