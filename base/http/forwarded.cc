#include "base/http/forwarded.h"

#include "base/text.h"

namespace weir::http {
namespace {

// Where the pair that `element` begins with ends: at the next ';' that is not within quotes.
std::size_t pair_end(std::string_view element) {
  bool quoted = false;
  for (std::size_t at = 0; at < element.size(); ++at) {
    if (quoted && element[at] == '\\') {
      ++at;
    } else if (element[at] == '"') {
      quoted = !quoted;
    } else if (element[at] == ';' && !quoted) {
      return at;
    }
  }
  return element.size();
}

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
  while (!element.empty()) {
    const std::size_t end = pair_end(element);
    const std::string_view pair = trim_ows(element.substr(0, end));
    const std::size_t equals = pair.find('=');
    if (equals != pair.npos && equals_ignore_case(pair.substr(0, equals), name)) {
      return without_quotes(pair.substr(equals + 1));
    }
    element.remove_prefix(end < element.size() ? end + 1 : end);
  }
  return {};
}

}  // namespace weir::http
