#include "cachekeys/cookies.h"

#include <algorithm>
#include <functional>

#include "cachekeys/patterns.h"

namespace weir::keys {
CookieRole cookie_role(std::string_view name, const conf::CookieRule& rule) {
  if (matches_any(rule.session, name)) return CookieRole::Session;
  if (matches_any(rule.key, name)) return CookieRole::Keyed;
  if (matches_any(rule.ignore, name) || is_harmless_cookie(name)) return CookieRole::Harmless;
  return rule.other == conf::CookieRule::Other::Ignore ? CookieRole::Ignored : CookieRole::Matters;
}

std::span<const Cookie> keyed_cookies(const http::RequestHead& head, const conf::CookieRule& rule) {
  thread_local std::vector<Cookie> kept;
  kept.clear();
  if (rule.key.empty() || !head.has(http::FieldId::Cookie)) return kept;
  for_each_cookie(head, [&](const Cookie& cookie) {
    if (cookie_role(cookie.name, rule) == CookieRole::Keyed) kept.push_back(cookie);
  });
  // Names are views into one head, in the request's order; std::stable_sort would allocate.
  std::ranges::sort(kept, [](const Cookie& a, const Cookie& b) {
    const int order = a.name.compare(b.name);
    return order != 0 ? order < 0 : std::less<>{}(a.name.data(), b.name.data());
  });
  return kept;
}

void append_cookie_field(std::span<const Cookie> cookies, std::string& out) {
  for (std::size_t i = 0; i < cookies.size(); ++i) {
    if (i > 0) out.append("; ");
    out.append(cookies[i].name).append("=").append(cookies[i].value);
  }
}

}  // namespace weir::keys
