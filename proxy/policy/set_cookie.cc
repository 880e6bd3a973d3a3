#include "proxy/policy/set_cookie.h"

#include <algorithm>

#include "base/text.h"
#include "proxy/policy/storable.h"

namespace weir::policy {
namespace {

using http::FieldId;

// Names of cookies compare with case (RFC 6265 5.3).
bool matches_any(std::string_view name, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return wildcard_match(pattern, name); });
}

bool strips(const StoreVerdict& verdict, std::string_view name) {
  return verdict.strip_all_cookies || matches_any(name, verdict.strip_cookies);
}

}  // namespace

Refusal set_cookie_refusal(const http::HeaderBlock& fields, const conf::SetCookieRule& rule) {
  using Mode = conf::SetCookieRule::Mode;
  if (rule.mode == Mode::StripAll || rule.mode == Mode::Store) return {};
  Refusal refusal;
  fields.for_each([&](const http::FieldView& field) {
    if (refusal || field.id != FieldId::SetCookie) return;
    const std::string_view name = set_cookie_name(field.value);
    if (rule.mode == Mode::StripNames && matches_any(name, rule.names)) return;
    refusal = {Reason::SetCookie, std::string(name)};
  });
  return refusal;
}

void strip_set_cookies(http::HeaderBlock& fields, const StoreVerdict& verdict) {
  if (!verdict.strip_all_cookies && verdict.strip_cookies.empty()) return;
  fields.remove_if([&](const http::FieldView& field) {
    return field.id == FieldId::SetCookie && strips(verdict, set_cookie_name(field.value));
  });
}

std::string_view set_cookie_name(std::string_view value) {
  const std::string_view pair = value.substr(0, value.find(';'));
  const std::size_t equals = pair.find('=');
  // Without "=" the cookie has a value and an empty name.
  return equals == std::string_view::npos ? std::string_view{} : trim_ows(pair.substr(0, equals));
}

std::optional<std::string> sets_one_of(const http::HeaderBlock& fields, const StoreVerdict& verdict,
                                       const std::vector<std::string>& names) {
  std::optional<std::string> found;
  if (names.empty()) return found;
  fields.for_each([&](const http::FieldView& field) {
    if (found || field.id != FieldId::SetCookie) return;
    const std::string_view name = set_cookie_name(field.value);
    if (strips(verdict, name)) return;
    if (std::find(names.begin(), names.end(), name) != names.end()) found = std::string(name);
  });
  return found;
}

}  // namespace weir::policy
