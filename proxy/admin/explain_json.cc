#include "proxy/admin/explain_json.h"

#include <fmt/format.h>

namespace weir::admin {
namespace {

using flow::Explanation;
using flow::Form;
using policy::RequestClass;

std::string_view word_of(RequestClass kind) {
  switch (kind) {
    case RequestClass::Shared:
      return "shared";
    case RequestClass::Personal:
      return "personal";
    case RequestClass::Bypass:
      return "bypass";
  }
  return "";
}

std::string_view word_of(Form form) {
  switch (form) {
    case Form::Shared:
      return "shared";
    case Form::Personal:
      return "personal";
    case Form::Verbatim:
      return "verbatim";
  }
  return "";
}

Json refusal_json(const policy::Refusal& refusal) {
  if (!refusal) return nullptr;
  Json out;
  out["detail"] = policy::token(refusal.reason);
  if (!refusal.subject.empty()) out["subject"] = refusal.subject;
  out["text"] = policy::text(refusal.reason);
  return out;
}

Json route_json(const Explanation& explanation) {
  if (!explanation.route_matches) return nullptr;
  Json out;
  out["name"] = explanation.route;
  out["file"] = explanation.place.file;
  out["line"] = explanation.place.line;
  out["caches"] = explanation.route_caches;
  return out;
}

Json advice_json(const policy::Advice& advice) {
  if (advice.means.empty()) return nullptr;
  Json out;
  if (!advice.yaml.empty()) {
    out["yaml"] = advice.yaml;
    out["where"] = advice.where;
  }
  out["means"] = advice.means;
  return out;
}

Json key_json(const Explanation& explanation) {
  if (explanation.key.empty()) return nullptr;
  Json out;
  out["hash"] = explanation.hash;
  out["rule"] = fmt::format("{:016x}", explanation.fingerprint);
  for (const flow::KeyPart& part : explanation.key) {
    Json json;
    json["part"] = part.part;
    if (part.part == "query" || part.part == "header" || part.part == "cookie") {
      json["name"] = part.name;
    }
    json["value"] = part.value;
    json["in_key"] = part.in_key;
    json["why"] = part.why;
    out["parts"].push_back(std::move(json));
  }
  return out;
}

Json sent_json(const flow::SentToApp& sent) {
  Json out;
  out["form"] = word_of(sent.form);
  out["request"] = sent.request_line;
  out["fields"] = Json::array();
  for (const flow::Line& line : sent.fields) {
    out["fields"].push_back({{"name", line.name}, {"value", line.value}});
  }
  out["changes"] = Json::array();
  for (const flow::Change& change : sent.changes) {
    out["changes"].push_back({{"name", change.name},
                              {"value", change.value},
                              {"removed", change.removed},
                              {"why", change.why}});
  }
  return out;
}

Json storing_json(const flow::StoringRules& rules) {
  Json out;
  out["tiers"] = rules.tiers;
  out["origin"] = rules.origin;
  out["lifetimes"] = Json::array();
  for (const flow::Lifetime& lifetime : rules.lifetimes) {
    out["lifetimes"].push_back(
        {{"status", lifetime.status}, {"seconds", lifetime.seconds}, {"source", lifetime.source}});
  }
  out["stale_while_revalidate_s"] = rules.stale_while_revalidate_s;
  out["stale_if_error_s"] = rules.stale_if_error_s;
  if (rules.stale_after_ms) out["stale_after_ms"] = *rules.stale_after_ms;
  out["max_object_size"] = rules.max_object_size;
  out["answers"] = Json::array();
  for (const flow::SampleVerdict& sample : rules.samples) {
    Json json;
    json["answer"] = sample.answer;
    json["stored"] = !sample.refusal;
    if (sample.refusal) {
      json["refused"] = refusal_json(sample.refusal);
    } else {
      json["ttl_s"] = sample.ttl_s;
      json["shared"] = sample.shared;
    }
    out["answers"].push_back(std::move(json));
  }
  return out;
}

Json held_json(const flow::HeldCopy& held) {
  Json out;
  out["backend"] = held.backend;
  if (held.is_marker) return out;
  out["status"] = held.status;
  out["bytes"] = held.bytes;
  out["age_s"] = held.age_s;
  out["ttl_s"] = held.ttl_s;
  out["state"] = held.state;
  if (!held.purge.empty()) out["purged"] = held.purge;
  return out;
}

Json standing_json(const flow::Standing& standing) {
  Json out;
  out["held"] = Json::array();
  for (const flow::HeldCopy& held : standing.held) out["held"].push_back(held_json(held));
  out["missing"] = standing.missing;
  if (standing.has_variants) {
    out["vary"] = standing.vary;
    out["variants"] = standing.variants;
  }
  out["in_flight"] = standing.in_flight;
  out["uncacheable"] = nullptr;
  if (standing.remembered) {
    out["uncacheable"] = refusal_json(standing.remembered->refusal);
    out["uncacheable"]["for_ms"] = standing.remembered->left_ms;
    out["uncacheable"]["change"] = advice_json(standing.advice);
  }
  return out;
}

Json outlook_json(const flow::Outlook& outlook, bool answered_here) {
  Json out;
  std::string status;
  policy::append_cache_status(status, outlook.outcome);
  out["cache_status"] = answered_here ? "weir; detail=max-forwards" : status;
  out["hit"] = outlook.outcome.hit;
  out["fwd"] = policy::token(outlook.outcome.forward);
  out["detail"] = answered_here ? "max-forwards" : policy::token(outlook.outcome.detail.reason);
  if (!outlook.outcome.detail.subject.empty()) out["subject"] = outlook.outcome.detail.subject;
  out["asks_app"] = outlook.asks_app;
  out["follows"] = outlook.follows;
  out["not_modified"] = outlook.not_modified;
  return out;
}

}  // namespace

Json explanation_json(const Explanation& explanation, const flow::Outlook& outlook,
                      const flow::Standing* standing) {
  Json out;
  out["request"] = {{"method", explanation.method}, {"url", explanation.url}};
  out["route"] = route_json(explanation);
  out["class"] = word_of(explanation.kind);
  out["reason"] = refusal_json(explanation.refusal);
  out["change"] = advice_json(explanation.advice);
  out["key"] = key_json(explanation);
  out["app"] = explanation.answered_here ? Json() : sent_json(explanation.sent);
  out["storing"] = explanation.storing ? storing_json(*explanation.storing) : Json();
  if (standing) out["stored"] = standing_json(*standing);
  out["now"] = outlook_json(outlook, explanation.answered_here);
  return out;
}

}  // namespace weir::admin
