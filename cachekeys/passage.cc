#include "cachekeys/passage.h"

#include <algorithm>

#include "base/http/hop_by_hop.h"
#include "base/text.h"
#include "cachekeys/accept.h"
#include "cachekeys/cookies.h"
#include "cachekeys/credentials.h"
#include "cachekeys/field_lines.h"
#include "cachekeys/normalize.h"
#include "cachekeys/sent_request.h"

namespace weir::keys {
namespace {

using http::FieldId;

// Conditionals and Range: Weir answers them itself from what it stores.
bool is_selector(FieldId id) {
  switch (id) {
    case FieldId::IfMatch:
    case FieldId::IfModifiedSince:
    case FieldId::IfNoneMatch:
    case FieldId::IfRange:
    case FieldId::IfUnmodifiedSince:
    case FieldId::Range:
      return true;
    default:
      return false;
  }
}

// Letters, digits and '-'. Servers that turn names into CGI variables read any other character as
// '_', so that "HX_Request" would be a second, unkeyed spelling of "HX-Request".
bool is_plain_name(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    const char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

Passage passage_of_rebuilt(FieldId id, const Recipe& recipe, Audience audience) {
  if (id == FieldId::Cookie) {
    return audience == Audience::OneClient ? Passage::AsIs : Passage::Rebuilt;
  }
  const bool raw = id != FieldId::AcceptEncoding && recipe.keys(id);
  return raw ? Passage::AsIs : Passage::Rebuilt;
}

}  // namespace

bool is_callers_field(FieldId id) {
  switch (id) {
    case FieldId::Host:
    case FieldId::ContentLength:
    case FieldId::Expect:
    case FieldId::Forwarded:
    case FieldId::Via:
    case FieldId::XForwardedFor:
    case FieldId::XForwardedHost:
    case FieldId::XForwardedProto:
      return true;
    default:
      return http::is_hop_by_hop(id);
  }
}

bool is_in_base_key(FieldId id) {
  switch (id) {
    case FieldId::Host:
    case FieldId::XForwardedHost:
    case FieldId::XForwardedPort:
    case FieldId::XForwardedPrefix:
    case FieldId::XForwardedProto:
      return true;
    default:
      return false;
  }
}

bool is_believed_or_gone(FieldId id) {
  return id == FieldId::XForwardedPort || id == FieldId::XForwardedPrefix;
}

Passage passage_of(const http::FieldView& field, const http::RequestHead& head,
                   const Recipe& recipe, Audience audience) {
  const FieldId id = field.id;
  const bool one_client = audience == Audience::OneClient;
  // A route that keys one of these wants its app to see it, whoever says it.
  if (is_believed_or_gone(id)) return recipe.keys(id) ? Passage::AsIs : Passage::Drop;
  if (is_callers_field(id) || taken_back(head, field.name)) return Passage::Drop;
  if (id == FieldId::CacheControl || id == FieldId::Pragma) return Passage::Drop;
  if (is_selector(id)) return one_client ? Passage::AsIs : Passage::Drop;
  if (id == FieldId::Cookie || id == FieldId::Accept || id == FieldId::AcceptEncoding ||
      id == FieldId::AcceptLanguage) {
    return passage_of_rebuilt(id, recipe, audience);
  }
  if (recipe.keys_header(field)) return Passage::AsIs;
  if (id == FieldId::Other && is_framework_field(field.name)) return Passage::AsIs;
  if (one_client && recipe.is_credential(field)) return Passage::AsIs;
  if (id == FieldId::Other && is_forgery_token(field.name)) {
    return one_client ? Passage::AsIs : Passage::Drop;
  }
  const bool drop =
      recipe.sealed ||
      (id == FieldId::Other && (!is_plain_name(field.name) || is_poisoning_field(field.name)));
  return drop ? Passage::Drop : Passage::AsIs;
}

void append_rebuilt(FieldId id, const http::RequestHead& head, const Recipe& recipe,
                    std::string& out) {
  switch (id) {
    case FieldId::Accept:
      append_sent_accept(head, out);
      return;
    case FieldId::AcceptEncoding:
      append_accept_encoding(head, out);
      return;
    case FieldId::AcceptLanguage:
      append_language(head, recipe.language, out);
      return;
    case FieldId::Cookie:
      append_cookie_field(keyed_cookies(head, recipe.cookies), out);
      return;
    default:
      return;
  }
}

}  // namespace weir::keys
