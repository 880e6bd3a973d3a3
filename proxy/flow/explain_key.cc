// The key part by part. What is in it is read back from its bytes; what is not is told by the
// functions that left it out.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cachekeys/key_parts.h"
#include "cachekeys/normalize.h"
#include "cachekeys/patterns.h"
#include "cachekeys/query.h"
#include "proxy/flow/explain.h"

namespace weir::flow {
namespace {

using keys::CookieRole;
using keys::ParameterRole;
using Names = std::vector<std::string>;

std::string listed(const Names& names) {
  return fmt::format("[{}]", fmt::join(names, ", "));
}

// ---- the URL ----

void add_url(const keys::KeyParts& parts, const AskedRequest& asked, const keys::Recipe& recipe,
             const keys::Destination& to, std::vector<KeyPart>& out) {
  const bool told = asked.head.get().has(http::FieldId::XForwardedProto) &&
                    asked.believed.has(conf::TrustedField::Proto);
  out.push_back({.part = "scheme",
                 .value = std::string(parts.scheme),
                 .why = told ? "X-Forwarded-Proto of a trusted proxy" : "of the connection"});
  if (recipe.hostname) {
    out.push_back({.part = "authority",
                   .value = std::string(parts.authority),
                   .why = to.is_told ? "X-Forwarded-Host of a trusted proxy" : "Host"});
  } else {
    out.push_back({.part = "authority",
                   .value = std::string(to.authority),
                   .in_key = false,
                   .why = fmt::format("hostname: false (the app is sent {})", recipe.fixed_host)});
  }
  out.push_back({.part = "path",
                 .value = std::string(parts.path),
                 .why = "escapes of unreserved characters decoded"});
}

std::string why_of(ParameterRole role, const conf::QueryRule& rule) {
  switch (role) {
    case ParameterRole::Kept:
      return rule.mode == conf::QueryRule::Mode::Only ? "query_params: " + listed(rule.only)
                                                      : "query_params: true";
    case ParameterRole::NotNamed:
      return rule.mode == conf::QueryRule::Mode::None
                 ? "query_params: false"
                 : "not among query_params: " + listed(rule.only);
    case ParameterRole::Tracking:
      return "a tracking parameter (built-in list; query_params: {tracking: keep} keeps it)";
    case ParameterRole::Ignored:
      return "query_params: {ignore: " + listed(rule.ignore) + "}";
  }
  return {};
}

void add_query(const AskedRequest& asked, const keys::Recipe& recipe, std::vector<KeyPart>& out) {
  const http::RequestHead& head = asked.head.get();
  if (keys::is_empty_query(head)) {
    out.push_back({.part = "query", .value = "?", .why = "a '?' with nothing behind it"});
    return;
  }
  const bool is_signed = keys::is_signed_query(head.query);
  keys::for_each_parameter(head.query, [&](std::string_view parameter) {
    const ParameterRole role =
        is_signed ? ParameterRole::Kept : keys::parameter_role(parameter, recipe.query);
    const std::string_view name = keys::parameter_name(parameter);
    const bool has_value = name.size() < parameter.size();
    out.push_back({.part = "query",
                   .name = std::string(name),
                   .value = std::string(has_value ? parameter.substr(name.size() + 1) : ""),
                   .in_key = role == ParameterRole::Kept,
                   .why = is_signed ? "the URL carries a signature: all of it, byte for byte"
                                    : why_of(role, recipe.query)});
  });
}

// ---- language and headers ----

void add_language(const keys::KeyParts& parts, const keys::Recipe& recipe,
                  std::vector<KeyPart>& out) {
  KeyPart part{.part = "language", .value = std::string(parts.language)};
  if (recipe.keys(http::FieldId::AcceptLanguage)) {
    part.in_key = false;
    part.why = "headers: [Accept-Language] keys the client's own words instead";
  } else if (recipe.language.mode == conf::LanguageRule::Mode::None) {
    part.in_key = false;
    part.why = "language: false (the app is sent none)";
  } else if (recipe.language.mode == conf::LanguageRule::Mode::List) {
    part.why = "language: " + listed(recipe.language.list);
  } else {
    part.why = "language: the client's best two";
  }
  out.push_back(std::move(part));
}

std::string why_header(std::string_view name, const keys::Recipe& recipe) {
  if (std::ranges::find(recipe.headers, name) != recipe.headers.end()) return "headers";
  if (name == "accept") return "built in: the kind of Accept";
  if (keys::is_framework_field(name)) return "built in: frameworks answer by it";
  return "told by a trusted proxy (trusted_fields)";
}

void add_headers(const keys::KeyParts& parts, const keys::Recipe& recipe,
                 std::vector<KeyPart>& out) {
  for (const keys::KeyParts::Pair& header : parts.headers) {
    out.push_back({.part = "header",
                   .name = std::string(header.name),
                   .value = std::string(header.value),
                   .why = why_header(header.name, recipe)});
  }
}

// ---- cookies ----

std::string why_of(CookieRole role, std::string_view name, const conf::CookieRule& rule) {
  switch (role) {
    case CookieRole::Keyed:
      return "cookies: {key: " + listed(rule.key) + "}";
    case CookieRole::Session:
      return "cookies: {session: " + listed(rule.session) + "}: the request is one visitor's";
    case CookieRole::Harmless:
      return keys::matches_any(rule.ignore, name) ? "cookies: {ignore: " + listed(rule.ignore) + "}"
                                                  : "harmless (built-in list)";
    case CookieRole::Ignored:
      return "cookies: ignore";
    case CookieRole::Matters:
      return "neither keyed nor ignored nor known to be harmless: the request is one visitor's";
  }
  return {};
}

void add_cookies(const AskedRequest& asked, const keys::Recipe& recipe, std::vector<KeyPart>& out) {
  keys::for_each_cookie(asked.head.get(), [&](const keys::Cookie& cookie) {
    const CookieRole role = keys::cookie_role(cookie.name, recipe.cookies);
    out.push_back({.part = "cookie",
                   .name = std::string(cookie.name),
                   .value = std::string(cookie.value),
                   .in_key = role == CookieRole::Keyed,
                   .why = why_of(role, cookie.name, recipe.cookies)});
  });
}

}  // namespace

std::vector<KeyPart> explain_key(const AskedRequest& asked, const Planned& planned) {
  std::vector<KeyPart> out;
  const auto parts = keys::read_key(planned.key.view().bytes);
  if (!parts) return out;
  const keys::Recipe& recipe = planned.plan.route->recipe;
  add_url(*parts, asked, recipe, planned.to, out);
  add_query(asked, recipe, out);
  add_language(*parts, recipe, out);
  add_headers(*parts, recipe, out);
  add_cookies(asked, recipe, out);
  return out;
}

}  // namespace weir::flow
