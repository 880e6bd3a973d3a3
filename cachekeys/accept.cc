#include "cachekeys/accept.h"

#include <algorithm>

#include "base/text.h"
#include "cachekeys/field_lines.h"
#include "cachekeys/normalize.h"
#include "cachekeys/weights.h"

namespace weir::keys {
namespace {

bool is_any(std::string_view type) {
  return type == "*/*" || type == "*";
}
bool is_image(std::string_view type) {
  return starts_with_ignore_case(type, "image/");
}
bool is_html(std::string_view type) {
  return equals_ignore_case(type, "text/html") || equals_ignore_case(type, "application/xhtml+xml");
}

// What browsers name when they ask for a page or an image.
bool is_browsers_own(std::string_view type) {
  return is_html(type) || is_image(type) || is_any(type) ||
         equals_ignore_case(type, "application/xml") || starts_with_ignore_case(type, "video/") ||
         equals_ignore_case(type, "application/signed-exchange");
}

// RFC 9110 12.5.1: of ranges with equal weight, the more specific one says more.
int specificity(std::string_view type) {
  return is_any(type) ? 0 : type.ends_with("/*") ? 1 : 2;
}

struct Preferred {
  std::string_view element;
  Weighted parsed;
  int rank = 0;  // weight and specificity; 0: there is none
};

// A malformed weight counts as full: what Weir cannot read, an app may read as a wish.
Preferred preferred_element(const http::RequestHead& head) {
  Preferred best;
  for_each_line(head, http::FieldId::Accept, [&](std::string_view line) {
    for_each_list_element(line, [&](std::string_view element) {
      const Weighted parsed = parse_weighted(element);
      const int weight = parsed.weight < 0 ? kFullWeight : parsed.weight;
      if (weight == 0) return;
      const int rank = weight * 4 + specificity(parsed.value);
      if (rank > best.rank) best = {element, parsed, rank};
    });
  });
  return best;
}

// The usual cases without a parse: a browser's page, and a client that takes anything.
bool is_plainly_unkeyed(const http::RequestHead& head) {
  const std::string_view first = head.value(http::FieldId::Accept);
  constexpr std::string_view kHtml = "text/html";
  if (first.starts_with(kHtml) && (first.size() == kHtml.size() || first[kHtml.size()] == ',')) {
    return true;
  }
  return first == "*/*" &&
         std::ranges::count(head.fields, http::FieldId::Accept, &http::FieldView::id) == 1;
}

void append_browsers_own(const http::RequestHead& head, std::string& out) {
  bool whole = true;
  int lines = 0;
  const std::size_t start = out.size();
  std::string_view only_line;
  for_each_line(head, http::FieldId::Accept, [&](std::string_view line) {
    only_line = line;
    ++lines;
    for_each_list_element(line, [&](std::string_view element) {
      if (!is_browsers_own(parse_weighted(element).value)) {
        whole = false;
        return;
      }
      if (out.size() > start) out.append(", ");
      out.append(element);
    });
  });
  if (lines == 1 && whole) {  // as it came, to the byte
    out.resize(start);
    out.append(only_line);
  }
}

}  // namespace

void append_preferred_type(const http::RequestHead& head, std::string& out) {
  if (!head.has(http::FieldId::Accept) || is_plainly_unkeyed(head)) return;
  const Preferred best = preferred_element(head);
  if (best.rank == 0) return;
  const std::string_view type = best.parsed.value;
  if (!best.parsed.parameters && (is_html(type) || is_image(type) || is_any(type))) return;
  for (const char c : type) out.push_back(ascii_lower(c));
  for_each_weighted_parameter(best.element, [&](std::string_view parameter) {
    if (is_weight_parameter(parameter)) return;
    out.push_back(';');
    out.append(parameter);
  });
}

void append_sent_accept(const http::RequestHead& head, const Recipe& recipe, std::string& out) {
  const std::size_t start = out.size();
  append_preferred_type(head, out);
  if (out.size() > start) return;
  if (recipe.sealed) {
    out.append("*/*");
  } else {
    append_browsers_own(head, out);
  }
}

}  // namespace weir::keys
