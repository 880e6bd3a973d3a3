#include "proxy/policy/select.h"

#include <optional>

#include "base/http/date.h"
#include "base/text.h"

namespace weir::policy {
namespace {

using http::FieldId;

// An entity-tag's opaque part, quotes included. Weak comparison (RFC 9110 8.8.3.2) looks at nothing
// else.
std::string_view opaque_tag(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  return tag;
}

// Takes the first entity-tag off `list`; empty when what comes next is none (RFC 9110 8.8.3). A
// comma or a backslash within the quotes is part of the tag.
std::string_view take_tag(std::string_view& list) {
  const std::size_t start = list.find_first_not_of(" \t,");
  if (start == list.npos) return {};
  list.remove_prefix(start);
  const std::size_t quote = list.starts_with("W/") ? 2 : 0;
  if (list.substr(quote, 1) != "\"") return {};
  const std::size_t end = list.find('"', quote + 1);
  if (end == list.npos) return {};
  const std::string_view tag = list.substr(0, end + 1);
  list.remove_prefix(tag.size());
  const std::string_view rest = trim_ows(list);
  return rest.empty() || rest.front() == ',' ? tag : std::string_view{};
}

bool lists_tag(std::string_view list, std::string_view etag) {
  if (trim_ows(list) == "*") return true;
  if (etag.empty()) return false;
  for (std::string_view tag = take_tag(list); !tag.empty(); tag = take_tag(list)) {
    if (opaque_tag(tag) == opaque_tag(etag)) return true;
  }
  return false;
}

// RFC 9110 13.1.2. Several field lines are one list.
bool any_line_lists_tag(const http::RequestHead& request, std::string_view etag) {
  for (const http::FieldView& field : request.fields) {
    if (field.id == FieldId::IfNoneMatch && lists_tag(field.value, etag)) return true;
  }
  return false;
}

bool is_repeated(const http::RequestHead& request, FieldId id) {
  int count = 0;
  for (const http::FieldView& field : request.fields) count += field.id == id ? 1 : 0;
  return count > 1;
}

// RFC 9110 13.1.3; and RFC 9111 4.3.2: an answer without Last-Modified was changed at its Date, as
// far as anybody knows.
bool unmodified_since(const http::RequestHead& request, const Validators& stored,
                      std::int64_t wall_s) {
  if (is_repeated(request, FieldId::IfModifiedSince)) return false;
  const auto since = http::parse_date(request.value(FieldId::IfModifiedSince), wall_s);
  const bool has_own = !stored.last_modified.empty();
  const auto changed = http::parse_date(has_own ? stored.last_modified : stored.date, wall_s);
  return since && changed && *changed <= *since;
}

}  // namespace

Selection select(const http::RequestHead& request, const Validators& stored, std::int64_t wall_s) {
  const bool for_any = request.method == http::Method::Get || request.method == http::Method::Head;
  // RFC 9110 13.2.1: conditions are about a success.
  if (!for_any || stored.status < 200 || stored.status >= 300) return Selection::Whole;
  bool not_modified = false;
  if (request.has(FieldId::IfNoneMatch)) {
    not_modified = any_line_lists_tag(request, stored.etag);
  } else if (request.has(FieldId::IfModifiedSince)) {
    not_modified = unmodified_since(request, stored, wall_s);
  }
  return not_modified ? Selection::NotModified : Selection::Whole;
}

}  // namespace weir::policy
