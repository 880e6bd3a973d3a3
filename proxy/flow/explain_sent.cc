// What the app would be sent, made by the functions that make it, and what became of the client's
// fields on the way.
#include <fmt/format.h>

#include <algorithm>

#include "base/http/hop_by_hop.h"
#include "base/text.h"
#include "cachekeys/passage.h"
#include "proxy/flow/explain.h"
#include "proxy/upstream/request_head.h"
#include "proxy/upstream/upstream_pool.h"

namespace weir::flow {
namespace {

using keys::PassageRule;

std::string_view words_of(PassageRule rule) {
  switch (rule) {
    case PassageRule::Callers:
      return "written afresh by Weir, or of this connection only";
    case PassageRule::NotBelieved:
      return "told by nobody who is believed (trusted_fields)";
    case PassageRule::TakenBack:
      return "the client's Connection field takes it back";
    case PassageRule::CacheControl:
      return "a client's directives are for Weir";
    case PassageRule::Selector:
      return "conditions and ranges are answered by Weir, from the whole answer";
    case PassageRule::NormalForm:
      return "in its normal form: nothing else of it is in the key";
    case PassageRule::ForgeryToken:
      return "a token against forgery: no shared answer may depend on it";
    case PassageRule::Sealed:
      return "sealed: true, and it is not in the key";
    case PassageRule::OddName:
      return "its name reads as another field's to CGI-like servers";
    case PassageRule::Poisoning:
      return "can make an app answer for another URL";
    case PassageRule::None:
      break;
  }
  return "a claim about the client that only a trusted proxy may make";
}

PassageRule rule_of(const http::FieldView& field, const http::RequestHead& head,
                    const RequestPlan& plan, Form form) {
  if (form != Form::Verbatim) {
    const auto audience =
        form == Form::Shared ? keys::Audience::Everybody : keys::Audience::OneClient;
    return keys::rule_on(field, head, plan.route->recipe, audience).rule;
  }
  if (keys::is_callers_field(field.id)) return PassageRule::Callers;
  if (keys::is_believed_or_gone(field.id)) return PassageRule::NotBelieved;
  if (http::named_by_connection(head, field.name)) return PassageRule::TakenBack;
  return keys::is_poisoning_field(field.name) ? PassageRule::Poisoning : PassageRule::None;
}

bool is_sent(const http::HeaderBlock& fields, const http::FieldView& field) {
  bool found = false;
  fields.for_each([&](const http::FieldView& sent) {
    found = found || (equals_ignore_case(sent.name, field.name) && sent.value == field.value);
  });
  return found;
}

// Those that are gone, or come otherwise.
std::vector<Change> changes_of(const AskedRequest& asked, const Planned& planned, Form form,
                               const upstream::FetchRequest& request) {
  std::vector<Change> changes;
  const http::RequestHead& head = asked.head.get();
  for (const http::FieldView& field : head.fields) {
    if (field.id == http::FieldId::Host || is_sent(request.fields, field)) continue;
    changes.push_back({.name = std::string(field.name),
                       .value = std::string(field.value),
                       .removed = !request.fields.find(field.name),
                       .why = std::string(words_of(rule_of(field, head, planned.plan, form)))});
  }
  return changes;
}

}  // namespace

SentToApp explain_sent(const AskedRequest& asked, const Planned& planned, Form form,
                       const conf::Upstream& upstream) {
  const http::RequestHead& head = asked.head.get();
  keys::SentRequest sent = sent_request(head, planned.to, planned.plan, form);
  const std::string removed_query = sent.removed_query;
  const upstream::ForwardInfo info = asked.forward_info(planned.to, sent.told_host);
  const upstream::FetchRequest request = upstream::make_fetch_request(head, std::move(sent), info);
  SentToApp out;
  out.form = form;
  out.request_line = fmt::format("{} {} HTTP/1.1", request.method_text, request.target);
  const upstream::UpstreamPool pool(upstream);
  out.fields.push_back({"Host", std::string(pool.host(0, request.host))});
  request.fields.for_each([&](const http::FieldView& field) {
    out.fields.push_back({std::string(field.name), std::string(field.value)});
  });
  if (!removed_query.empty()) {
    out.changes.push_back({.name = "query",
                           .value = removed_query,
                           .why = "these parameters are not in the key; put back on a redirect "
                                  "within the site"});
  }
  for (Change& change : changes_of(asked, planned, form, request)) {
    out.changes.push_back(std::move(change));
  }
  return out;
}

}  // namespace weir::flow
