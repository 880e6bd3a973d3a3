#include "cachekeys/accept.h"

#include <algorithm>

#include "base/text.h"
#include "cachekeys/field_lines.h"
#include "cachekeys/static_path.h"
#include "cachekeys/weights.h"

namespace weir::keys {
namespace {

constexpr std::string_view kHtml = "text/html";
constexpr std::string_view kImage = "image/*";

// What the kinds are sent as. A page: as Firefox and Safari ask for one. Frameworks tell a browser
// from a program by the list and the "*/*" in it, and a page of another type (XHTML, a PDF) is
// still a page to whoever follows a link.
constexpr std::string_view kSentAnything = "*/*";
constexpr std::string_view kSentHtml =
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
constexpr std::string_view kSentImage = "image/*, */*;q=0.8";  // behind AVIF and WebP

bool is_any(std::string_view type) {
  return type == "*/*" || type == "*";
}
bool is_image(std::string_view type) {
  return starts_with_ignore_case(type, "image/");
}
bool is_html(std::string_view type) {
  return equals_ignore_case(type, kHtml) || equals_ignore_case(type, "application/xhtml+xml");
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

// Calls `visit(element, parsed, weight)` for each element that the client takes. A malformed weight
// counts as full: what Weir cannot read, an app may read as a wish.
template <class Visit>
void for_each_accepted(const http::RequestHead& head, Visit&& visit) {
  for_each_line(head, http::FieldId::Accept, [&](std::string_view line) {
    for_each_list_element(line, [&](std::string_view element) {
      const Weighted parsed = parse_weighted(element);
      const int weight = parsed.weight < 0 ? kFullWeight : parsed.weight;
      if (weight > 0) visit(element, parsed, weight);
    });
  });
}

Preferred preferred_element(const http::RequestHead& head) {
  Preferred best;
  for_each_accepted(head, [&](std::string_view element, const Weighted& parsed, int weight) {
    const int rank = weight * 4 + specificity(parsed.value);
    if (rank > best.rank) best = {element, parsed, rank};
  });
  return best;
}

bool is_one_line(const http::RequestHead& head) {
  return std::ranges::count(head.fields, http::FieldId::Accept, &http::FieldView::id) == 1;
}

// The usual form of a page's Accept, without a parse: nothing can be preferred to what stands first
// with full weight.
bool is_plainly_html(const http::RequestHead& head, std::string_view first) {
  return first.starts_with(kHtml) && (first.size() == kHtml.size() || first[kHtml.size()] == ',') &&
         !taken_back(head, http::field_name(http::FieldId::Accept));
}

// The formats that apps choose between by what a client names. Those that few name (JPEG XL, HEIC)
// are not told apart.
void append_image_formats(const http::RequestHead& head, std::string& out) {
  bool avif = false;
  bool webp = false;
  for_each_accepted(head, [&](std::string_view, const Weighted& parsed, int) {
    avif = avif || equals_ignore_case(parsed.value, "image/avif");
    webp = webp || equals_ignore_case(parsed.value, "image/webp");
  });
  if (avif) out.append("image/avif");
  if (avif && webp) out.append(", ");
  if (webp) out.append("image/webp");
  if (!avif && !webp) out.append(kImage);
}

// Programs often say what they prefer and that they take anything else as well (axios, jQuery). An
// app that has only something else must be able to see that, or it answers 406.
void append_whether_anything_else(const http::RequestHead& head, std::string& out) {
  bool anything = false;
  for_each_accepted(head, [&](std::string_view, const Weighted& parsed, int) {
    anything = anything || (is_any(parsed.value) && !parsed.parameters);
  });
  if (anything) out.append(", */*;q=0.1");
}

void append_type(const Preferred& preferred, std::string& out) {
  append_lower(out, preferred.parsed.value);
  for_each_weighted_parameter(preferred.element, [&](std::string_view parameter) {
    if (is_weight_parameter(parameter)) return;
    out.push_back(';');
    out.append(parameter);
  });
}

}  // namespace

// No two kinds are spelled alike: a type without parameters that is HTML or an image never stands
// for itself.
void append_accept_kind(const http::RequestHead& head, std::string& out) {
  if (!head.has(http::FieldId::Accept)) return;
  const std::string_view first = head.value(http::FieldId::Accept);
  if (first == kSentAnything && is_one_line(head)) return;
  if (ends_like_static_file(head.path)) return;
  if (is_plainly_html(head, first)) {
    out.append(kHtml);
    return;
  }
  const Preferred best = preferred_element(head);
  const std::string_view type = best.parsed.value;
  if (best.rank == 0 || (is_any(type) && !best.parsed.parameters)) return;
  if (is_html(type) && !best.parsed.parameters) {
    out.append(kHtml);
  } else if (is_image(type) && !best.parsed.parameters) {
    append_image_formats(head, out);
  } else {
    append_type(best, out);
    append_whether_anything_else(head, out);
  }
}

void append_sent_accept(const http::RequestHead& head, std::string& out) {
  const std::size_t start = out.size();
  append_accept_kind(head, out);
  const std::string_view kind = std::string_view(out).substr(start);
  if (kind.empty()) {
    out.append(kSentAnything);
  } else if (kind == kHtml) {
    out.resize(start);
    out.append(kSentHtml);
  } else if (kind == kImage) {
    out.resize(start);
    out.append(kSentImage);
  } else if (is_image(kind) && kind.find(';') == kind.npos) {
    out.append(", ").append(kSentImage);
  }
}

}  // namespace weir::keys
