#include "base/http/hop_by_hop.h"

#include <string>

#include "base/text.h"

namespace weir::http {
namespace {

bool lists(std::string_view options, std::string_view name) {
  bool found = false;
  for_each_list_element(
      options, [&](std::string_view option) { found = found || equals_ignore_case(option, name); });
  return found;
}

// What a response must keep whatever its Connection says: without them an answer meant for one
// user would look like one for all.
bool guards_sharing(FieldId id) {
  switch (id) {
    case FieldId::CacheControl:
    case FieldId::CdnCacheControl:
    case FieldId::Expires:
    case FieldId::Pragma:
    case FieldId::SetCookie:
    case FieldId::Vary:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool is_hop_by_hop(FieldId id) {
  switch (id) {
    case FieldId::Connection:
    case FieldId::Http2Settings:
    case FieldId::KeepAlive:
    case FieldId::ProxyAuthenticate:
    case FieldId::ProxyAuthorization:
    case FieldId::ProxyConnection:
    case FieldId::TE:
    case FieldId::Trailer:
    case FieldId::TransferEncoding:
    case FieldId::Upgrade:
      return true;
    default:
      return false;
  }
}

bool is_protected_from_connection(std::string_view name) {
  switch (field_id(name)) {
    case FieldId::Accept:
    case FieldId::AcceptEncoding:
    case FieldId::AcceptLanguage:
    case FieldId::Authorization:
    case FieldId::CacheControl:
    case FieldId::ContentEncoding:
    case FieldId::ContentLength:
    case FieldId::ContentRange:
    case FieldId::ContentType:
    case FieldId::Cookie:
    case FieldId::Expect:
    case FieldId::Forwarded:
    case FieldId::Host:
    case FieldId::IfMatch:
    case FieldId::IfModifiedSince:
    case FieldId::IfNoneMatch:
    case FieldId::IfRange:
    case FieldId::IfUnmodifiedSince:
    case FieldId::Origin:
    case FieldId::Pragma:
    case FieldId::Range:
    case FieldId::TransferEncoding:
    case FieldId::Via:
    case FieldId::XForwardedFor:
    case FieldId::XForwardedHost:
    case FieldId::XForwardedPort:
    case FieldId::XForwardedPrefix:
    case FieldId::XForwardedProto:
      return true;
    case FieldId::Other:
      return starts_with_ignore_case(name, "x-forwarded-") || equals_ignore_case(name, "x-real-ip");
    default:
      return false;
  }
}

bool named_by_connection(const RequestHead& head, std::string_view name) {
  if (!head.has(FieldId::Connection)) return false;
  for (const FieldView& field : head.fields) {
    if (field.id == FieldId::Connection && lists(field.value, name)) return true;
  }
  return false;
}

bool named_by_connection(const HeaderBlock& fields, std::string_view name) {
  bool found = false;
  fields.for_each([&](const FieldView& field) {
    found = found || (field.id == FieldId::Connection && lists(field.value, name));
  });
  return found;
}

void remove_hop_by_hop(HeaderBlock& fields) {
  // A copy, for the Connection fields themselves go on the way.
  const std::string options = fields.joined(FieldId::Connection);
  fields.remove_if([&options](const FieldView& field) {
    if (is_hop_by_hop(field.id) || field.id == FieldId::ContentLength) return true;
    return !options.empty() && !guards_sharing(field.id) && lists(options, field.name);
  });
}

}  // namespace weir::http
