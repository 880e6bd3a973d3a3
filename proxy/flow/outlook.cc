#include "proxy/flow/outlook.h"

#include "base/http/cache_control.h"
#include "proxy/flow/purge_judge.h"
#include "proxy/flow/representation.h"
#include "proxy/policy/select.h"

namespace weir::flow {
namespace {

using policy::Reason;
using policy::RequestClass;
using policy::Reuse;

// What one request meets.
struct Met {
  Findings found;
  policy::Refusal remembered;
};

bool is_stored(const RequestPlan& plan, const policy::Refusal& refusal) {
  return !refusal && plan.cached_route() && plan.kind != RequestClass::Bypass;
}

// The app answers with a page that says nothing, or as it did last.
void foresee_answer(const AskedRequest& asked, const Planned& planned, const Met& met,
                    Outlook& out) {
  const RequestPlan& plan = planned.plan;
  const http::RequestHead& head = asked.head.get();
  out.asks_app = true;
  policy::Refusal refusal = plan.kind == RequestClass::Bypass ? plan.refusal : met.remembered;
  std::int64_t ttl_s = 0;
  if (met.remembered) {
    const bool as_it_came = withholds(sent_request(head, planned.to, plan, Form::Shared), head);
    if (as_it_came) out.form = Form::Verbatim;
  } else if (plan.kind != RequestClass::Bypass) {
    const SampleVerdict silent = judge_silent_page(asked, planned);
    refusal = silent.refusal;
    ttl_s = silent.ttl_s;
  }
  const bool stored = is_stored(plan, refusal);
  out.outcome.stored = out.outcome.has_ttl = stored;
  out.outcome.ttl_s = ttl_s;
  out.outcome.detail = detail_of(refusal, stored, met.found.reuse);
  out.outcome.forward = forward_of(plan, stored, out.outcome.forward);
}

void serve_copy(const Findings& found, Outlook& out) {
  out.outcome.hit = true;
  out.outcome.has_ttl = true;
  out.outcome.ttl_s = found.reuse.freshness.ttl_s();
  out.outcome.detail = {found.reuse.reason, {}};
}

Outlook foresee(const AskedRequest& asked, const Planned& planned, const Met& met) {
  Outlook out;
  const RequestPlan& plan = planned.plan;
  if (plan.answered_here) return out;
  out.form = plan.form();
  if (plan.kind != RequestClass::Bypass) {
    const Findings& found = met.found;
    const bool serves = found.has_copy && (found.reuse.reuse == Reuse::Fresh ||
                                           found.reuse.reuse == Reuse::StaleWhileRevalidate);
    if (serves) {
      serve_copy(found, out);
      return out;
    }
    if (http::parse_request_cache_control(asked.head.get()).only_if_cached) {
      out.outcome.detail = {Reason::OnlyIfCached, {}};
      return out;
    }
    out.outcome.forward = why_forward(found);
  }
  foresee_answer(asked, planned, met, out);
  return out;
}

// ---- what is stored ----

std::string word_of(const policy::ReuseVerdict& reuse) {
  switch (reuse.reuse) {
    case Reuse::Fresh:
      return "fresh";
    case Reuse::StaleWhileRevalidate:
    case Reuse::StaleIfError:
      return std::string(policy::token(reuse.reason));
    case Reuse::Refetch:
      if (reuse.reason == Reason::NoCache) return "validate";
      return reuse.reason == Reason::ClientNoCache ? "client-no-cache" : "stale";
    case Reuse::Unusable:
      return "personal";
  }
  return "";
}

// One entry, by the rules that a transaction judges it by.
class Judge {
 public:
  Judge(const AskedRequest& asked, const Planned& planned, const PurgeBook& book,
        std::int64_t now_ms)
      : head_(asked.head.get()), plan_(planned.plan), book_(book), now_ms_(now_ms) {}

  HeldCopy copy(const std::string& backend, const backends::Entry& entry) const {
    const PurgeVerdict purged = purge_verdict(book_, entry.seq(), entry.key().bytes, entry.tags());
    HeldCopy out{.backend = backend, .status = entry.status(), .bytes = entry.body_size()};
    if (purged != PurgeVerdict::Alive) out.purge = purged == PurgeVerdict::Dead ? "hard" : "soft";
    const policy::ReuseVerdict verdict =
        reuse(meta_under(purged, entry.meta()).value_or(entry.meta()));
    out.age_s = verdict.freshness.age_s;
    out.ttl_s = verdict.freshness.ttl_s();
    out.state = word_of(verdict);
    if (!fits(entry)) out.state = "unfit";
    if (purged == PurgeVerdict::Dead) out.state = "purged";
    return out;
  }

  void note(const backends::Entry& entry, Findings& found) const {
    const auto meta = meta_under(purge_verdict(book_, entry.seq(), entry.key().bytes, entry.tags()),
                                 entry.meta());
    found.unfit = meta && !fits(entry);
    found.has_copy = meta && !found.unfit;
    if (found.has_copy) found.reuse = reuse(*meta);
  }

 private:
  bool fits(const backends::Entry& entry) const {
    return is_fit(head_, plan_.route->recipe, entry.content_encoding(), entry.meta());
  }
  policy::ReuseVerdict reuse(const backends::EntryMeta& meta) const {
    return policy::judge_reuse(meta, *plan_.route->rule, plan_.route->backend->default_expire_s(),
                               plan_.kind, http::parse_request_cache_control(head_), now_ms_);
  }

  const http::RequestHead& head_;
  const RequestPlan& plan_;
  const PurgeBook& book_;
  const std::int64_t now_ms_;
};

void add_held(const std::vector<TierFinding>& findings, const Judge& judge, Standing& out) {
  for (const TierFinding& finding : findings) {
    if (!finding.entry) {
      out.missing.push_back(finding.backend);
    } else if (finding.entry->kind() == backends::Entry::Kind::VaryMarker) {
      out.held.push_back({.backend = finding.backend, .is_marker = true});
    } else {
      out.held.push_back(judge.copy(finding.backend, *finding.entry));
    }
  }
}

bool is_not_modified(const http::RequestHead& head, const backends::EntryRef& entry,
                     std::int64_t wall_s) {
  const bool by_tag = head.has(http::FieldId::IfNoneMatch);
  if (!by_tag && !head.has(http::FieldId::IfModifiedSince)) return false;
  return policy::select(head, Representation(entry).validators(!by_tag), wall_s) ==
         policy::Selection::NotModified;
}

}  // namespace

Outlook outlook_of_first(const AskedRequest& asked, const Planned& planned) {
  return foresee(asked, planned, {});
}

Look look_at(const AskedRequest& asked, const Planned& planned, const StoredFindings& findings,
             SharedTables& tables, const Clock& clock) {
  const http::RequestHead& head = asked.head.get();
  const keys::KeyView base = planned.key.view();
  const Judge judge(asked, planned, tables.purges, clock.now_ms());
  Look out;
  Standing& standing = out.standing;
  add_held(findings.answers(), judge, standing);
  if (findings.marker) {
    standing.has_variants = true;
    standing.vary = findings.marker->vary().to_vector();
    standing.variants = findings.marker->variants().to_vector().size();
  }
  const keys::KeyView name = findings.marker ? findings.variant_key.view() : base;
  const Ref<Flight> flight = tables.flights.find(name);
  standing.in_flight = flight && flight->joinable();
  standing.remembered = tables.uncacheable.look(base, clock.now_ms());
  if (standing.remembered) {
    standing.advice =
        policy::advice_for(standing.remembered->refusal, planned.plan.route->rule, head.path);
  }

  Met met;
  met.found.has_variant = findings.marker != nullptr;
  const backends::EntryRef entry = findings.answer();
  if (entry) judge.note(*entry, met.found);
  const bool is_shared_get =
      planned.plan.kind == RequestClass::Shared && head.method == http::Method::Get;
  if (standing.remembered && is_shared_get) met.remembered = standing.remembered->refusal;
  out.outlook = foresee(asked, planned, met);
  const bool joins = is_shared_get && !met.remembered && out.outlook.asks_app;
  out.outlook.follows = joins && standing.in_flight;
  out.outlook.not_modified =
      out.outlook.outcome.hit && is_not_modified(head, entry, clock.wall_s());
  return out;
}

}  // namespace weir::flow
