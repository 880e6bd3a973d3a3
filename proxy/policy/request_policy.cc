#include "proxy/policy/request_policy.h"

#include "base/http/cache_control.h"
#include "base/http/hop_by_hop.h"
#include "base/text.h"

namespace weir::policy {
namespace {

// RFC 9110 7.8. An offer of h2c alone is no upgrade: a server may ignore it, and Weir does.
bool asks_for_upgrade(const http::RequestHead& head) {
  if (head.minor_version < 1 || !head.has(http::FieldId::Upgrade)) return false;
  bool other_than_h2c = false;
  for (const http::FieldView& field : head.fields) {
    if (field.id != http::FieldId::Upgrade) continue;
    for_each_list_element(field.value, [&](std::string_view protocol) {
      other_than_h2c = other_than_h2c || !equals_ignore_case(protocol, "h2c");
    });
  }
  return other_than_h2c && http::named_by_connection(head, "upgrade");
}

RequestVerdict bypass(Reason reason, std::string_view subject = {}) {
  return {RequestClass::Bypass, {reason, std::string(subject)}};
}

RequestVerdict personal(Reason reason, std::string_view subject) {
  return {RequestClass::Personal, {reason, std::string(subject)}};
}

}  // namespace

bool asks_for_part_or_news(const http::RequestHead& head) {
  using http::FieldId;
  return head.has(FieldId::Range) || head.has(FieldId::IfNoneMatch) ||
         head.has(FieldId::IfModifiedSince) || head.has(FieldId::IfMatch) ||
         head.has(FieldId::IfUnmodifiedSince);
}

bool ends_here(const http::RequestHead& head) {
  return head.method == http::Method::Options && head.has(http::FieldId::MaxForwards) &&
         parse_decimal(head.value(http::FieldId::MaxForwards)) == 0U;
}

RequestVerdict judge_before_key(const http::RequestHead& head, bool matched,
                                const conf::CacheRule* rule) {
  // First, since upgrades are tunnelled on every route, cached or not.
  if (asks_for_upgrade(head)) {
    return bypass(Reason::Upgrade, head.value(http::FieldId::Upgrade));
  }
  if (!matched) return bypass(Reason::NoRoute);
  if (rule == nullptr) return bypass(Reason::RouteOff);
  if (head.method != http::Method::Get && head.method != http::Method::Head) {
    return bypass(Reason::Method, head.method_text);
  }
  if (head.framing != http::Framing::None) return bypass(Reason::Body);
  // RFC 9111 5.2.1.5, which 5.2.1 leaves to the cache: only where clients are listened to.
  if (rule->honor_client_no_cache && http::parse_request_cache_control(head).no_store) {
    return bypass(Reason::ClientNoCache, "no-store");
  }
  return {};
}

RequestVerdict judge_key(const keys::KeyVerdict& key) {
  switch (key.personal) {
    case keys::Personal::No:
      return {};
    case keys::Personal::Cookie:
      return personal(Reason::Cookie, key.subject);
    case keys::Personal::SessionCookie:
      return personal(Reason::Session, key.subject);
    case keys::Personal::Credential:
      return personal(Reason::Authorization, key.subject);
  }
  return {};
}

}  // namespace weir::policy
