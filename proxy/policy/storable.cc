#include "proxy/policy/storable.h"

#include <algorithm>
#include <array>

#include "base/http/status.h"
#include "base/text.h"
#include "proxy/policy/app_word.h"
#include "proxy/policy/armor.h"
#include "proxy/policy/freshness.h"
#include "proxy/policy/set_cookie.h"
#include "proxy/policy/vary_list.h"

namespace weir::policy {
namespace {

using conf::OriginMode;
using http::FieldId;

// Statuses whose caching requirements Weir meets (RFC 9111 5.2.2.3): the registered final ones
// that ask for nothing beyond RFC 9111.
bool is_understood(int status) {
  constexpr std::array kUnderstood = {200, 203, 204, 300, 301, 302, 303, 307, 308, 403, 404,
                                      405, 406, 410, 415, 422, 451, 500, 501, 502, 503, 504};
  return std::find(kUnderstood.begin(), kUnderstood.end(), status) != kUnderstood.end();
}

// Whether the app itself says that whoever shows credentials or cookies may have it (rule 4).
bool is_for_all(const AppWord& word, const conf::CacheRule& rule) {
  return word.allows_personal() && rule.origin != OriginMode::Override;
}

Refusal request_refusal(const ResponseContext& context, const AppWord& word) {
  if (context.method == http::Method::Head) return {Reason::Method, "HEAD"};
  if (context.method != http::Method::Get) return {Reason::Method, {}};
  const bool allowed =
      context.request_class == RequestClass::Shared ||
      (context.request_class == RequestClass::Personal && is_for_all(word, *context.rule));
  if (allowed) return {};
  return context.personal ? context.personal : Refusal{Reason::Authorization, {}};
}

Refusal status_refusal(const http::ResponseHead& head, const conf::CacheRule& rule) {
  if (http::speaks_of_one_exchange(head.status) || find_status(rule, head.status) == nullptr) {
    return {Reason::Status, std::to_string(head.status)};
  }
  // Means nothing outside 206 and 416 (RFC 9110 14.4): an app that sends it is confused about what
  // its body is.
  if (head.fields.has(FieldId::ContentRange)) return {Reason::Status, "Content-Range"};
  return {};
}

// no-cache="a, b" (RFC 9111 5.2.2.4): these fields must not be reused. Harmless when the response
// has none of them, or only cookies that are stripped anyway; else it is not stored.
Refusal qualified_no_cache(const http::HeaderBlock& fields, const AppWord& word,
                           const conf::CacheRule& rule) {
  for (const std::string& name : word.control.no_cache_fields) {
    if (!fields.find(std::string_view(name))) continue;
    const bool stripped = equals_ignore_case(name, "set-cookie") &&
                          rule.set_cookie.mode == conf::SetCookieRule::Mode::StripAll;
    if (!stripped) return {Reason::NoCache, name};
  }
  return {};
}

// RFC 9111 3 and 5.2.2. `origin: override` sets all of it aside.
Refusal control_refusal(const http::ResponseHead& head, const AppWord& word,
                        const conf::CacheRule& rule) {
  if (rule.origin == OriginMode::Override) return {};
  const std::string subject = word.targeted ? "CDN-Cache-Control" : "Cache-Control";
  const http::ResponseCacheControl& control = word.control;
  if (control.must_understand && !is_understood(head.status)) {
    return {Reason::Status, "must-understand"};
  }
  // 5.2.2.3: must-understand replaces the no-store that is there for older caches.
  if (control.no_store && !control.must_understand) return {Reason::NoStore, subject};
  if (control.is_private) return {Reason::Private, subject};
  if (control.no_cache) return {Reason::NoCache, subject};
  return qualified_no_cache(head.fields, word, rule);
}

// An app that sets a cookie speaks to one visitor. Where it was shown who that is, the page may
// greet him, and hold his token: with the cookie taken out it would still be his.
Refusal cookie_refusal(const http::ResponseHead& head, const ResponseContext& context) {
  const bool knew_visitor = context.request_class == RequestClass::Personal;
  return set_cookie_refusal(head.fields,
                            knew_visitor ? conf::SetCookieRule{} : context.rule->set_cookie);
}

Refusal body_refusal(const http::ResponseHead& head, const ResponseContext& context) {
  if (head.framing == http::Framing::UntilClose) return {Reason::Truncated, "no length"};
  const bool over = context.max_object_size != 0 && head.framing == http::Framing::Length &&
                    head.content_length > context.max_object_size;
  return over ? Refusal{Reason::TooLarge, std::to_string(head.content_length)} : Refusal{};
}

// An error's or a redirect's type says nothing about the file that is not there.
Refusal armor_refusal(const http::ResponseHead& head, const ResponseContext& context) {
  if (!context.rule->armor || head.status >= 300) return {};
  const std::string_view extension =
      contradicted_extension(context.path, head.fields.value(FieldId::ContentType));
  if (extension.empty()) return {};
  return {Reason::Armor, "." + std::string(extension)};
}

Refusal ttl_refusal(const StoreVerdict& verdict, const AppWord& word, const conf::CacheRule& rule) {
  if (verdict.ttl_s > 0) return {};
  // Never fresh here, but of use within a stale window.
  const StaleWindows windows = stale_windows(verdict.meta, rule);
  const std::int64_t window_s = std::max(windows.while_revalidate_s, windows.if_error_s);
  if (windows.when_slow || -verdict.ttl_s < window_s) return {};
  const bool app_rules = verdict.meta.lifetime_s && rule.origin != OriginMode::Override;
  return {Reason::NoTtl, std::string(app_rules ? word.source : "duration")};
}

// s-maxage forbids what proxy-revalidate forbids (RFC 9111 5.2.2.10), unless the app itself states
// a window beside it: then that window is what it allows, and no other.
void read_stale_windows(backends::EntryMeta& meta, const http::ResponseCacheControl& control) {
  meta.stale_while_revalidate_s = control.stale_while_revalidate_s;
  meta.stale_if_error_s = control.stale_if_error_s;
  const bool states_window =
      meta.stale_while_revalidate_s.has_value() || meta.stale_if_error_s.has_value();
  meta.must_revalidate =
      control.must_revalidate || control.proxy_revalidate || (control.s_maxage_s && !states_window);
  if (control.s_maxage_s && states_window) {
    meta.stale_while_revalidate_s = meta.stale_while_revalidate_s.value_or(0);
    meta.stale_if_error_s = meta.stale_if_error_s.value_or(0);
  }
}

backends::EntryMeta make_meta(const http::ResponseHead& head, const ResponseContext& context,
                              const AppWord& word) {
  const http::ResponseCacheControl& control = word.control;
  const bool overridden = context.rule->origin == OriginMode::Override;
  // What came under `override` against the app's word must not outlive a change of the rule.
  const bool forbidden = (control.no_store && !control.must_understand) || control.is_private;
  backends::EntryMeta meta;
  meta.status = head.status;
  meta.response_ms = context.now_ms;
  meta.lifetime_s = word.lifetime_s;
  meta.validate_always = control.no_cache || (overridden && forbidden);
  meta.shared_with_personal =
      is_for_all(word, *context.rule) && !head.fields.has(FieldId::SetCookie);
  meta.seq = context.seq;
  read_stale_windows(meta, control);
  // The app's lifetime is counted as RFC 9111 4.2.3 has it, from when the answer may have been
  // made. The route's own duration is counted from its arrival, or a page that takes longer to
  // make than its duration would never be cached.
  const bool app_rules = meta.lifetime_s && !overridden;
  const bool delay_counts = app_rules && context.request_ms != 0;
  const std::int64_t delay_s = delay_counts ? (context.now_ms - context.request_ms) / 1000 : 0;
  meta.initial_age_s = corrected_initial_age_s(head.fields, context.wall_s, delay_s);
  return meta;
}

// The order is the order of explanations: first what no header of the app could change.
Refusal first_refusal(const http::ResponseHead& head, const ResponseContext& context,
                      const AppWord& word, const Refusal& vary_refusal) {
  const conf::CacheRule& rule = *context.rule;
  if (auto refusal = request_refusal(context, word)) return refusal;
  if (auto refusal = status_refusal(head, rule)) return refusal;
  const std::string_view type = head.fields.value(FieldId::ContentType);
  if (is_endless(type)) return {Reason::Stream, std::string(type)};
  if (auto refusal = control_refusal(head, word, rule)) return refusal;
  if (vary_refusal) return vary_refusal;
  if (auto refusal = cookie_refusal(head, context)) return refusal;
  if (auto refusal = body_refusal(head, context)) return refusal;
  return armor_refusal(head, context);
}

}  // namespace

bool is_for_nobody_in_particular(const http::ResponseHead& head) {
  if (head.fields.has(FieldId::SetCookie)) return false;
  // Those who wait are alike in what their key has; in a coding each looks for himself.
  const VaryList vary = read_vary(head.fields);
  const bool alike = std::ranges::all_of(
      vary.names, [](std::string_view name) { return name == "accept-encoding"; });
  if (vary.refusal || !alike) return false;
  const http::ResponseCacheControl all = http::parse_response_cache_control(head.fields);
  const http::ResponseCacheControl caches = http::parse_cdn_cache_control(head.fields);
  return !all.is_private && !all.no_store && !caches.is_private && !caches.no_store;
}

bool is_endless(std::string_view content_type) {
  const std::string_view type = trim_ows(content_type.substr(0, content_type.find(';')));
  return equals_ignore_case(type, "text/event-stream") ||
         equals_ignore_case(type, "multipart/x-mixed-replace") ||
         starts_with_ignore_case(type, "application/grpc");
}

StoreVerdict judge_response(const http::ResponseHead& head, const ResponseContext& context) {
  StoreVerdict verdict;
  if (context.rule == nullptr) {
    verdict.refusal = {Reason::RouteOff, {}};
    return verdict;
  }
  const conf::CacheRule& rule = *context.rule;
  const AppWord word = read_app_word(head, rule.origin, context.wall_s);
  VaryList vary = read_vary(head.fields);
  verdict.refusal = first_refusal(head, context, word, vary.refusal);
  // Of most refused answers nobody asks how old they are.
  if (!verdict.refusal) {
    verdict.meta = make_meta(head, context, word);
    verdict.ttl_s = freshness(verdict.meta, rule, context.default_expire_s, context.now_ms).ttl_s();
    verdict.refusal = ttl_refusal(verdict, word, rule);
  }
  note_unsaid(verdict.meta, head.fields, vary.names, context.shown);
  verdict.vary = std::move(vary.names);
  if (verdict.refusal) return verdict;
  verdict.shareable = verdict.ttl_s > 0;
  verdict.strip_all_cookies = rule.set_cookie.mode == conf::SetCookieRule::Mode::StripAll;
  if (rule.set_cookie.mode == conf::SetCookieRule::Mode::StripNames) {
    verdict.strip_cookies = rule.set_cookie.names;
  }
  return verdict;
}

}  // namespace weir::policy
