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

void set_fields(const http::RequestHead& head, const Recipe& recipe, const Destination& destination,
                Audience audience, SentRequest& sent) {
  for (const http::FieldView& field : head.fields) {
    if (destination.passes(field.id) ||
        passage_of(field, head, recipe, audience) == Passage::AsIs) {
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

void set_hosts(const http::RequestHead& head, const Recipe& recipe, const Destination& destination,
               SentRequest& sent) {
  if (!recipe.hostname) {
    sent.host = sent.told_host = recipe.fixed_host;
    return;
  }
  append_authority(destination.scheme, head.authority, sent.host);
  append_authority(destination.scheme, destination.authority, sent.told_host);
}

SentRequest compose(const http::RequestHead& head, const Recipe& recipe,
                    const Destination& destination, Audience audience) {
  SentRequest sent;
  set_target(head, recipe, sent);
  set_hosts(head, recipe, destination, sent);
  set_fields(head, recipe, destination, audience, sent);
  return sent;
}

}  // namespace

SentRequest shared_request(const http::RequestHead& head, const Recipe& recipe,
                           const Destination& destination) {
  SentRequest sent = compose(head, recipe, destination, Audience::Everybody);
  note_removed_cookies(head, recipe, sent);
  return sent;
}

SentRequest personal_request(const http::RequestHead& head, const Recipe& recipe,
                             const Destination& destination) {
  return compose(head, recipe, destination, Audience::OneClient);
}

SentRequest verbatim_request(const http::RequestHead& head, const Destination& destination,
                             bool on_cached_route) {
  SentRequest sent;
  sent.target = head.path;
  if (head.has_query) sent.target.append("?").append(head.query);
  sent.host = head.authority;
  sent.told_host = destination.authority;
  const bool cacheable = head.method == http::Method::Get || head.method == http::Method::Head;
  for (const http::FieldView& field : head.fields) {
    if (is_callers_field(field.id) || taken_back(head, field.name)) continue;
    if (is_believed_or_gone(field.id)) {
      if (!destination.passes(field.id)) continue;
    } else if (on_cached_route && cacheable && is_poisoning_field(field.name)) {
      continue;
    }
    sent.fields.add(field.name, field.value);
  }
  return sent;
}

}  // namespace weir::keys
