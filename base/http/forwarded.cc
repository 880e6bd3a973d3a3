#include "base/http/forwarded.h"

#include <optional>

#include "base/text.h"

namespace weir::http {
namespace {

std::string_view without_quotes(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

}  // namespace

std::string joined_lines(const RequestHead& head, FieldId id) {
  std::string list;
  if (!head.has(id)) return list;
  for (const FieldView& field : head.fields) {
    if (field.id != id || field.value.empty()) continue;
    if (!list.empty()) list += ", ";
    list += field.value;
  }
  return list;
}

std::string_view first_element(const RequestHead& head, FieldId id) {
  std::string_view first;
  if (!head.has(id)) return first;
  for (const FieldView& field : head.fields) {
    if (field.id != id) continue;
    for_each_list_element(field.value, [&](std::string_view element) {
      if (first.empty()) first = element;
    });
    if (!first.empty()) break;
  }
  return first;
}

std::string_view forwarded_parameter(std::string_view element, std::string_view name) {
  std::optional<std::string_view> value;
  const auto look = [&](std::string_view pair) {
    const std::size_t equals = pair.find('=');
    const bool named = equals != pair.npos && equals_ignore_case(pair.substr(0, equals), name);
    if (named && !value) value = without_quotes(pair.substr(equals + 1));
  };
  for_each_list_element(element, look, ';');
  return value.value_or(std::string_view{});
}

}  // namespace weir::http
