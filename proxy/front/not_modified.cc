#include "proxy/front/not_modified.h"

#include "base/http/field_id.h"
#include "base/text.h"

namespace weir::front {
namespace {

bool belongs(http::FieldId id, bool has_etag) {
  switch (id) {
    case http::FieldId::CacheControl:
    case http::FieldId::ContentLocation:
    case http::FieldId::Date:
    case http::FieldId::ETag:
    case http::FieldId::Expires:
    case http::FieldId::Vary:
    case http::FieldId::Via:
      return true;
    case http::FieldId::LastModified:
      return !has_etag;
    default:
      return false;
  }
}

// Most names are told from those by their first letter or by their length.
bool may_belong(std::string_view name) {
  constexpr std::uint32_t kSizes = 1U << 3U | 1U << 4U | 1U << 7U | 1U << 13U | 1U << 16U;
  if (name.empty() || name.size() >= 32 || (kSizes >> name.size() & 1U) == 0) return false;
  return std::string_view("cdelv").find(ascii_lower(name.front())) != std::string_view::npos;
}

}  // namespace

// Whole lines are copied as they are stored; this is as hot as a hit.
void append_not_modified_fields(std::string& out, const backends::Entry& entry) {
  const bool has_etag = !entry.etag().empty();
  std::string_view lines = entry.field_lines();
  for (std::size_t end = lines.find('\n'); end != lines.npos; end = lines.find('\n')) {
    const std::string_view line = lines.substr(0, end + 1);
    lines.remove_prefix(line.size());
    const std::string_view name = line.substr(0, line.find(':'));
    if (may_belong(name) && belongs(http::field_id(name), has_etag)) out.append(line);
  }
}

}  // namespace weir::front
