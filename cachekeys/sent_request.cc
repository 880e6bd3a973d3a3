#include "cachekeys/sent_request.h"

#include <algorithm>

#include "cachekeys/field_lines.h"
#include "cachekeys/normalize.h"
#include "cachekeys/passage.h"
#include "cachekeys/query.h"
#include "cachekeys/target.h"

namespace weir::keys {
namespace {

using http::FieldId;

void set_target(const http::RequestHead& head, const Recipe& recipe, SentRequest& sent) {
  append_path(head, sent.target);
  std::string query;
  append_sent_query(head.query, recipe.query, query, sent.removed_query);
  if (!query.empty() || is_empty_query(head)) sent.target.append("?").append(query);
}

void set_fields(const http::RequestHead& head, const Recipe& recipe, Audience audience,
                SentRequest& sent) {
  for (const http::FieldView& field : head.fields) {
    if (passage_of(field, head, recipe, audience) == Passage::AsIs) {
      sent.fields.add(field.name, field.value);
    }
  }
  std::string value;
  for (const FieldId id :
       {FieldId::Accept, FieldId::AcceptEncoding, FieldId::AcceptLanguage, FieldId::Cookie}) {
    const http::FieldView any{id, http::field_name(id), {}};
    if (passage_of(any, head, recipe, audience) != Passage::Rebuilt) continue;
    value.clear();
    append_rebuilt(id, head, recipe, value);
    if (!value.empty()) sent.fields.add(id, value);
  }
}

void note_removed_cookies(const http::RequestHead& head, const Recipe& recipe, SentRequest& sent) {
  for_each_cookie(head, [&](const Cookie& cookie) {
    const CookieRole role = cookie_role(cookie.name, recipe.cookies);
    if (role == CookieRole::Keyed) return;
    if (role != CookieRole::Harmless) sent.removed_unknown_cookie = true;
    if (std::ranges::find(sent.removed_cookies, cookie.name) == sent.removed_cookies.end()) {
      sent.removed_cookies.emplace_back(cookie.name);
    }
  });
}

SentRequest compose(const http::RequestHead& head, const Recipe& recipe, std::string_view authority,
                    std::string_view scheme, Audience audience) {
  SentRequest sent;
  set_target(head, recipe, sent);
  if (recipe.hostname) {
    append_authority(scheme, authority, sent.host);
  } else {
    sent.host = recipe.fixed_host;
  }
  set_fields(head, recipe, audience, sent);
  return sent;
}

}  // namespace

SentRequest shared_request(const http::RequestHead& head, const Recipe& recipe,
                           std::string_view authority, std::string_view scheme) {
  SentRequest sent = compose(head, recipe, authority, scheme, Audience::Everybody);
  note_removed_cookies(head, recipe, sent);
  return sent;
}

SentRequest personal_request(const http::RequestHead& head, const Recipe& recipe,
                             std::string_view authority, std::string_view scheme) {
  return compose(head, recipe, authority, scheme, Audience::OneClient);
}

SentRequest verbatim_request(const http::RequestHead& head, std::string_view authority,
                             bool on_cached_route) {
  SentRequest sent;
  sent.target = head.path;
  if (head.has_query) sent.target.append("?").append(head.query);
  sent.host = authority;
  const bool cacheable = head.method == http::Method::Get || head.method == http::Method::Head;
  for (const http::FieldView& field : head.fields) {
    if (is_callers_field(field.id) || taken_back(head, field.name)) continue;
    if (on_cached_route && cacheable && is_poisoning_field(field.name)) continue;
    sent.fields.add(field.name, field.value);
  }
  return sent;
}

}  // namespace weir::keys
