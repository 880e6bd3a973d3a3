// Why is this request answered as it is? What a request amounts to before the app is asked, in
// words: its route, its key part by part, who may share its answer, what the app is sent, what may
// become of the answer. Every rule is asked where requests ask it (request_plan.h,
// policy/storable.h, cachekeys/): nothing is decided here. Pure; any thread; plain values, copied
// out of the site.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/flow/asked_request.h"
#include "proxy/flow/request_plan.h"
#include "proxy/policy/advice.h"

namespace weir::flow {

// A part of the request that is in the key, or that the key leaves out, and the rule that says so.
struct KeyPart {
  std::string part = {};  // scheme, authority, path, query, language, header or cookie
  std::string name = {};  // of a parameter, a header, a cookie
  std::string value = {};
  bool in_key = true;
  std::string why = {};
};

struct Line {
  std::string name = {};
  std::string value = {};
};

// A field of the client's that the app does not get, or not as it came.
struct Change {
  std::string name = {};
  std::string value = {};  // what the client sent
  bool removed = true;
  std::string why = {};
};

struct SentToApp {
  Form form = Form::Verbatim;
  std::string request_line = {};
  std::vector<Line> fields = {};  // Host among them
  std::vector<Change> changes = {};
};

// How long an answer of this status would be fresh here, where the app says nothing.
struct Lifetime {
  int status = 200;
  std::int64_t seconds = 0;
  std::string source = {};  // the key of the configuration that says it
};

// What would become of an answer, as policy/storable.h judges it.
struct SampleVerdict {
  std::string answer = {};  // "Cache-Control: private", "404"
  policy::Refusal refusal = {};
  std::int64_t ttl_s = 0;  // of one that would be stored
  bool shared = false;     // with others at once, without validation
};

struct StoringRules {
  std::vector<std::string> tiers = {};  // nearest first
  std::string origin = {};              // honor, framework, cap or override
  std::vector<Lifetime> lifetimes = {};
  std::int64_t stale_while_revalidate_s = 0;
  std::int64_t stale_if_error_s = 0;
  std::optional<std::int64_t> stale_after_ms;
  std::uint64_t max_object_size = 0;  // bytes; 0: no bound
  std::vector<SampleVerdict> samples = {};
};

struct Explanation {
  std::string method = {};
  std::string url = {};  // as read: scheme, authority and path as the app would be told
  // The route; no name and no place when none matches.
  bool route_matches = false;
  bool route_caches = false;
  std::string route = {};
  conf::Source place = {};

  std::vector<KeyPart> key = {};  // empty: no key is made
  std::uint64_t fingerprint = 0;  // of the rule
  std::string hash = {};          // of the key; lasts as long as the process

  bool answered_here = false;  // an OPTIONS that may not be forwarded
  policy::RequestClass kind = policy::RequestClass::Shared;
  policy::Refusal refusal = {};  // of Personal and Bypass
  policy::Advice advice = {};    // what would change that

  SentToApp sent;
  std::optional<StoringRules> storing;  // of a route that caches, for a request that may store
};

// A request and its plan, as long as somebody goes on asking. The views of `plan` and `key` are
// into `asked` and the site.
struct Planned {
  keys::Destination to;
  RequestPlan plan;
  keys::KeyBuffer key;  // empty where none was made
};
Planned plan_question(const AskedRequest& asked, const Site& site);

// `form`: how the app is asked; the plan's own, or as it came for a key that is known to be
// uncacheable.
Explanation explain(const AskedRequest& asked, const Planned& planned, Form form, const Site& site);

// ---- its parts ----
std::vector<KeyPart> explain_key(const AskedRequest& asked, const Planned& planned);
SentToApp explain_sent(const AskedRequest& asked, const Planned& planned, Form form,
                       const conf::Upstream& upstream);
StoringRules explain_storing(const AskedRequest& asked, const Planned& planned, Form form);
// What would become of a page that says nothing about caching.
SampleVerdict judge_silent_page(const AskedRequest& asked, const Planned& planned);

}  // namespace weir::flow
