#include "proxy/flow/explain.h"

#include <fmt/format.h>

namespace weir::flow {
namespace {

using policy::RequestClass;

std::string url_of(const http::RequestHead& head, const keys::Destination& to) {
  std::string url = fmt::format("{}://{}{}", to.scheme, to.authority, head.path);
  if (head.has_query) url.append("?").append(head.query);
  return url;
}

std::string hex(const Hash128& hash) {
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

// A cookie that the key leaves out, and a URL that must not be fetched twice.
policy::Advice for_used_once(const std::string& cookie, const conf::CacheRule& rule) {
  policy::Advice advice;
  advice.means = fmt::format(
      "the URL has a parameter that an app takes once only, so it is sent as it came, with {}; "
      "such an answer is one visitor's",
      cookie);
  if (rule.cookies.key.empty()) return advice;
  advice.means += ". With the cookie in the key (`cookies`) nothing is withheld, and it is cached";
  return advice;
}

policy::Advice advice_of(const Explanation& explanation, const RequestPlan& plan,
                         std::string_view path) {
  if (!explanation.refusal) return {};
  const conf::CacheRule* const rule = plan.route ? plan.route->rule : nullptr;
  if (rule && plan.kind == RequestClass::Bypass &&
      explanation.refusal.reason == policy::Reason::Cookie) {
    return for_used_once(explanation.refusal.subject, *rule);
  }
  return policy::advice_for(explanation.refusal, rule, path);
}

}  // namespace

Planned plan_question(const AskedRequest& asked, const Site& site) {
  Planned planned;
  planned.to = asked.destination();
  planned.plan = plan_request(asked.head.get(), planned.to, site, planned.key);
  return planned;
}

Explanation explain(const AskedRequest& asked, const Planned& planned, Form form,
                    const Site& site) {
  const http::RequestHead& head = asked.head.get();
  const RequestPlan& plan = planned.plan;
  Explanation out;
  out.method = head.method_text;
  out.url = url_of(head, planned.to);
  out.answered_here = plan.answered_here;
  if (plan.route) {
    out.route_matches = true;
    out.route_caches = plan.cached_route();
    out.route = plan.route->route->name;
    out.place = plan.route->route->source;
  }
  out.kind = plan.kind;
  out.refusal = plan.refusal;
  out.advice = advice_of(out, plan, head.path);
  if (plan.answered_here) return out;
  if (plan.route != nullptr && !planned.key.view().bytes.empty()) {
    out.key = explain_key(asked, planned);
    out.fingerprint = plan.route->recipe.fingerprint;
    out.hash = hex(planned.key.view().hash);
  }
  out.sent = explain_sent(asked, planned, form, site.config->upstream);
  if (plan.cached_route() && plan.kind != RequestClass::Bypass) {
    out.storing = explain_storing(asked, planned, form);
  }
  return out;
}

}  // namespace weir::flow
