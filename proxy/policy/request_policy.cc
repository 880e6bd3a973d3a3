#include "proxy/policy/request_policy.h"

#include "base/http/cache_control.h"
#include "base/http/upgrade.h"
#include "base/text.h"

namespace weir::policy {
namespace {

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
  if (std::string offer = http::upgrade_offer(head); !offer.empty()) {
    return bypass(Reason::Upgrade, offer);
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
    case keys::Personal::UsedOnce:
      return bypass(Reason::Cookie, key.subject);
  }
  return {};
}

}  // namespace weir::policy
