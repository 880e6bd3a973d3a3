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

constexpr PassageRuling drop(PassageRule rule) {
  return {Passage::Drop, rule};
}

PassageRuling rule_on_rebuilt(FieldId id, const Recipe& recipe, Audience audience) {
  const bool raw = id == FieldId::Cookie ? audience == Audience::OneClient
                                         : id != FieldId::AcceptEncoding && recipe.keys(id);
  return raw ? PassageRuling{} : PassageRuling{Passage::Rebuilt, PassageRule::NormalForm};
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

PassageRuling rule_on(const http::FieldView& field, const http::RequestHead& head,
                      const Recipe& recipe, Audience audience) {
  const FieldId id = field.id;
  const bool one_client = audience == Audience::OneClient;
  // A route that keys one of these wants its app to see it, whoever says it.
  if (is_believed_or_gone(id)) {
    return recipe.keys(id) ? PassageRuling{} : drop(PassageRule::NotBelieved);
  }
  if (is_callers_field(id)) return drop(PassageRule::Callers);
  if (taken_back(head, field.name)) return drop(PassageRule::TakenBack);
  if (id == FieldId::CacheControl || id == FieldId::Pragma) return drop(PassageRule::CacheControl);
  if (is_selector(id)) return one_client ? PassageRuling{} : drop(PassageRule::Selector);
  if (id == FieldId::Cookie || id == FieldId::Accept || id == FieldId::AcceptEncoding ||
      id == FieldId::AcceptLanguage) {
    return rule_on_rebuilt(id, recipe, audience);
  }
  if (recipe.keys_header(field)) return {};
  if (id == FieldId::Other && is_framework_field(field.name)) return {};
  if (one_client && recipe.is_credential(field)) return {};
  if (id == FieldId::Other && is_forgery_token(field.name)) {
    return one_client ? PassageRuling{} : drop(PassageRule::ForgeryToken);
  }
  if (recipe.sealed) return drop(PassageRule::Sealed);
  if (id != FieldId::Other) return {};
  if (!is_plain_name(field.name)) return drop(PassageRule::OddName);
  return is_poisoning_field(field.name) ? drop(PassageRule::Poisoning) : PassageRuling{};
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
