#include "proxy/flow/request_plan.h"

#include "base/check.h"
#include "cachekeys/key_builder.h"

namespace weir::flow {

using policy::RequestClass;

Form RequestPlan::form() const {
  switch (kind) {
    case RequestClass::Shared:
      return Form::Shared;
    case RequestClass::Personal:
      return Form::Personal;
    case RequestClass::Bypass:
      return Form::Verbatim;
  }
  return Form::Verbatim;
}

RequestPlan plan_request(const http::RequestHead& head, const keys::Destination& destination,
                         const Site& site, keys::KeyBuffer& key) {
  RequestPlan plan;
  plan.answered_here = policy::ends_here(head);
  if (plan.answered_here) return plan;
  const int index = site.router.match(head.method_text, destination.authority, head.path);
  if (index >= 0) plan.route = &site.routes[static_cast<std::size_t>(index)];
  policy::RequestVerdict verdict = policy::judge_before_key(
      head, plan.route != nullptr, plan.route ? plan.route->rule : nullptr);
  if (verdict.kind != RequestClass::Bypass) {
    WEIR_CHECK(plan.route != nullptr && plan.route->rule != nullptr);
    const keys::KeyVerdict found = keys::build_key(head, plan.route->recipe, destination, key);
    if (found.personal == keys::Personal::No) return plan;
    verdict = policy::judge_key(found);
  }
  plan.kind = verdict.kind;
  plan.refusal = std::move(verdict.refusal);
  return plan;
}

keys::SentRequest sent_request(const http::RequestHead& head, const keys::Destination& destination,
                               const RequestPlan& plan, Form form) {
  WEIR_CHECK(form == Form::Verbatim || plan.cached_route());
  switch (form) {
    case Form::Shared:
      return keys::shared_request(head, plan.route->recipe, destination);
    case Form::Personal:
      return keys::personal_request(head, plan.route->recipe, destination);
    case Form::Verbatim:
      break;
  }
  return keys::verbatim_request(head, destination, plan.cached_route());
}

}  // namespace weir::flow
