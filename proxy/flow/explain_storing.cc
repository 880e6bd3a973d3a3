// What may become of an answer: the rule's lifetimes, and the verdicts of policy/storable.h on
// answers such as apps give.
#include <fmt/format.h>

#include <array>

#include "base/http/date.h"
#include "proxy/flow/explain.h"
#include "proxy/policy/freshness.h"
#include "proxy/policy/storable.h"

namespace weir::flow {
namespace {

using http::Framing;

// An answer as apps give them: 200, HTML, of a known length, but for what is said here.
struct Sample {
  std::string_view words;
  int status = 200;
  std::string_view name = {};  // of a field more
  std::string_view value = {};
  Framing framing = Framing::Length;
};

constexpr std::array kSamples = {
    Sample{"a page that says nothing"},
    Sample{"Cache-Control: max-age=3600", 200, "Cache-Control", "max-age=3600"},
    Sample{"Cache-Control: public, s-maxage=3600", 200, "Cache-Control", "public, s-maxage=3600"},
    Sample{"Cache-Control: max-age=0", 200, "Cache-Control", "max-age=0"},
    Sample{"Cache-Control: no-cache", 200, "Cache-Control", "no-cache"},
    Sample{"Cache-Control: no-cache, private", 200, "Cache-Control", "no-cache, private"},
    Sample{"Cache-Control: private", 200, "Cache-Control", "private"},
    Sample{"Cache-Control: no-store", 200, "Cache-Control", "no-store"},
    Sample{"Set-Cookie: id=1", 200, "Set-Cookie", "id=1"},
    Sample{"Vary: *", 200, "Vary", "*"},
    Sample{"no Content-Length, no chunks", 200, "", "", Framing::UntilClose},
    Sample{"301", 301, "Location", "/elsewhere"},
    Sample{"404", 404},
    Sample{"500", 500},
};

http::ResponseHead head_of(const Sample& sample, std::int64_t wall_s) {
  http::ResponseHead head;
  head.status = static_cast<std::uint16_t>(sample.status);
  head.framing = sample.framing;
  head.content_length = sample.framing == Framing::Length ? 1024 : 0;
  head.fields.add(http::FieldId::Date, http::format_date(wall_s));
  head.fields.add(http::FieldId::ContentType, "text/html");
  if (!sample.name.empty()) head.fields.add(sample.name, sample.value);
  return head;
}

SampleVerdict judge(const Sample& sample, const policy::ResponseContext& context) {
  const auto verdict = policy::judge_response(head_of(sample, context.wall_s), context);
  return {.answer = std::string(sample.words),
          .refusal = verdict.refusal,
          .ttl_s = verdict.ttl_s,
          .shared = verdict.shareable};
}

policy::ResponseContext context_of(const AskedRequest& asked, const Planned& planned) {
  // Neither clock matters but for their distance, which is nothing: the answer is of this moment.
  constexpr std::int64_t kNow_ms = 1'000;
  constexpr std::int64_t kWall_s = 1'700'000'000;
  const http::RequestHead& head = asked.head.get();
  const RouteRuntime& route = *planned.plan.route;
  return {.rule = route.rule,
          .default_expire_s = route.backend->default_expire_s(),
          .max_object_size = route.backend->max_object_size(),
          .request_class = planned.plan.kind,
          .method = head.method,
          .path = head.path,
          .now_ms = kNow_ms,
          .wall_s = kWall_s,
          .request_ms = kNow_ms,
          .personal = planned.plan.refusal,
          .shown = policy::shown_by(head, route.recipe)};
}

// Of an answer without a word of its own.
Lifetime lifetime_of(const conf::StatusRule& status, const conf::CacheRule& rule,
                     std::int64_t default_expire_s) {
  backends::EntryMeta silent;
  silent.status = static_cast<std::uint16_t>(status.status);
  const policy::Freshness fresh = policy::freshness(silent, rule, default_expire_s, 0);
  const policy::RuleLifetime by = policy::rule_lifetime(&status, rule, default_expire_s);
  const bool is_apps = !by.seconds || fresh.lifetime_s != *by.seconds;
  return {.status = status.status,
          .seconds = fresh.lifetime_s,
          .source = is_apps ? "the app alone" : std::string(by.source)};
}

}  // namespace

StoringRules explain_storing(const AskedRequest& asked, const Planned& planned, Form form) {
  const RouteRuntime& route = *planned.plan.route;
  const conf::CacheRule& rule = *route.rule;
  const backends::Backend& backend = *route.backend;
  StoringRules out;
  out.tiers = rule.tiers;
  out.origin = name_of(rule.origin);
  for (const conf::StatusRule& status : rule.statuses) {
    out.lifetimes.push_back(lifetime_of(status, rule, backend.default_expire_s()));
  }
  const policy::StaleWindows windows = policy::stale_windows({}, rule);
  out.stale_while_revalidate_s = windows.while_revalidate_s;
  out.stale_if_error_s = windows.if_error_s;
  out.stale_after_ms = rule.stale_after_ms;
  out.max_object_size = backend.max_object_size();
  if (form == Form::Verbatim) return out;  // nothing is stored then, whatever it says
  const policy::ResponseContext context = context_of(asked, planned);
  for (const Sample& sample : kSamples) out.samples.push_back(judge(sample, context));
  return out;
}

SampleVerdict judge_silent_page(const AskedRequest& asked, const Planned& planned) {
  return judge(kSamples.front(), context_of(asked, planned));
}

}  // namespace weir::flow
