#include "cachekeys/personal.h"

#include "base/text.h"
#include "cachekeys/credentials.h"
#include "cachekeys/normalize.h"
#include "cachekeys/query.h"

namespace weir::keys {
namespace {

// Sec-Fetch-*, Sec-CH-*: up to a dozen in a browser's request, and no known name begins so.
bool is_browsers_own(std::string_view name) {
  return name.size() > 4 && name[3] == '-' && ascii_lower(name[0]) == 's' &&
         ascii_lower(name[1]) == 'e' && ascii_lower(name[2]) == 'c';
}

// Whether a name may be more to the recipe than a name: by its first letter, or a word in it.
bool needs_a_look(std::string_view name, const Recipe& recipe) {
  const unsigned letter = static_cast<unsigned>(ascii_lower(name.front()) - 'a');
  const bool watched = letter >= 26 || (recipe.watched_letters >> letter & 1U) != 0;
  const bool known = watched && !(recipe.credentials.empty() && is_browsers_own(name));
  return known || may_hold_credential_word(name);
}

}  // namespace

KeyVerdict scan_fields(const http::RequestHead& head, const Recipe& recipe,
                       std::vector<http::FieldView>& framework) {
  KeyVerdict verdict;
  for (const http::FieldView& field : head.fields) {
    bool credential = false;
    if (field.id != http::FieldId::Other) {
      credential = recipe.credential_ids[static_cast<std::size_t>(field.id)];
    } else {
      if (!needs_a_look(field.name, recipe)) continue;
      if (is_framework_field(field.name)) framework.push_back(field);
      credential = recipe.is_credential(field);
    }
    if (credential && verdict.personal == Personal::No) {
      verdict = {Personal::Credential, field.name};
    }
  }
  return verdict;
}

KeyVerdict with_cookies(const http::RequestHead& head, const Recipe& recipe, KeyVerdict fields) {
  if (!head.has(http::FieldId::Cookie)) return fields;
  KeyVerdict verdict = fields;
  std::string_view withheld;
  for_each_cookie(head, [&](const Cookie& cookie) {
    if (verdict.personal == Personal::SessionCookie) return;
    const CookieRole role = cookie_role(cookie.name, recipe.cookies);
    if (role == CookieRole::Session) verdict = {Personal::SessionCookie, cookie.name};
    if (role == CookieRole::Matters && verdict.personal == Personal::No) {
      verdict = {Personal::Cookie, cookie.name};
    }
    if (role != CookieRole::Keyed && withheld.empty()) withheld = cookie.name;
  });
  // Should the app miss one of its cookies, it would have to be asked again.
  if (verdict.personal == Personal::No && !withheld.empty() && is_used_once(head.query)) {
    return {Personal::UsedOnce, withheld};
  }
  return verdict;
}

bool is_personal(const http::RequestHead& head, const Recipe& recipe) {
  thread_local std::vector<http::FieldView> unused;
  unused.clear();
  return with_cookies(head, recipe, scan_fields(head, recipe, unused)).personal != Personal::No;
}

}  // namespace weir::keys
