// What a stored answer is to a request that found it, and how a request without one goes on: the
// rules that a transaction and an explanation of it share. Pure; any thread. Inline: every hit
// passes here.
#pragma once

#include "backends/entry.h"
#include "base/http/message.h"
#include "cachekeys/normalize.h"
#include "cachekeys/recipe.h"
#include "proxy/flow/request_plan.h"
#include "proxy/policy/cache_status.h"
#include "proxy/policy/freshness.h"
#include "proxy/policy/unsaid.h"

namespace weir::flow {

inline bool can_read(const http::RequestHead& request, std::string_view coding) {
  return coding.empty() || keys::accepts_encoding(request, coding);
}

// Whether an answer of this request's name, in that coding, is one that it can use.
inline bool is_fit(const http::RequestHead& request, const keys::Recipe& recipe,
                   std::string_view coding, const backends::EntryMeta& meta) {
  return can_read(request, coding) && policy::serves(meta, request, recipe);
}

// What was found in the stores.
struct Findings {
  bool has_copy = false;            // an entry that the request can read and that was not purged,
  policy::ReuseVerdict reuse = {};  // and what it is good for
  bool has_variant = false;         // the URL's answers are told apart by Vary
  bool unfit = false;               // there is one, but for requests that show less, or read more
};

// Why the stores do not answer (RFC 9211 2.2).
inline policy::Forward why_forward(const Findings& found) {
  const bool has_copy = found.has_copy && found.reuse.reuse != policy::Reuse::Unusable;
  if (has_copy && found.reuse.reason == policy::Reason::ClientNoCache) {
    return policy::Forward::Request;
  }
  if (has_copy) return policy::Forward::Stale;
  return found.has_variant || found.unfit ? policy::Forward::VaryMiss : policy::Forward::UriMiss;
}

// Why it was forwarded, once the app has answered: who reads and stores nothing was passed through.
inline policy::Forward forward_of(const RequestPlan& plan, bool stored, policy::Forward looked_up) {
  using policy::RequestClass;
  if (plan.kind == RequestClass::Bypass) {
    return plan.refusal.reason == policy::Reason::Method ? policy::Forward::Method
                                                         : policy::Forward::Bypass;
  }
  return plan.kind == RequestClass::Personal && !stored ? policy::Forward::Bypass : looked_up;
}

// What is said of an answer that came from the app: why it is not stored, or why a stored one would
// not do.
inline policy::Refusal detail_of(const policy::Refusal& refused, bool stored,
                                 const policy::ReuseVerdict& reuse) {
  const bool by_client = stored && reuse.reason == policy::Reason::ClientNoCache;
  return by_client ? policy::Refusal{policy::Reason::ClientNoCache, {}} : refused;
}

// Whether this form of the request keeps something of it from the app.
inline bool withholds(const keys::SentRequest& sent, const http::RequestHead& request) {
  return !sent.removed_cookies.empty() || !sent.removed_query.empty() ||
         policy::asks_for_part_or_news(request);
}

}  // namespace weir::flow
