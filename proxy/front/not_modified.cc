#include "proxy/front/not_modified.h"

#include "base/http/h1_writer.h"

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

}  // namespace

void append_not_modified_fields(std::string& out, const backends::Entry& entry) {
  const bool has_etag = !entry.etag().empty();
  entry.for_each_field([&](const http::FieldView& field) {
    if (belongs(field.id, has_etag)) http::append_field(out, field.name, field.value);
  });
}

}  // namespace weir::front
