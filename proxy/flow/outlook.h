// What would happen to a request now, by what is known before the app is asked: what a transaction
// decides (transaction.cc), told in advance. Looks only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/flow/explain.h"
#include "proxy/flow/reuse.h"
#include "proxy/flow/stored_look.h"
#include "proxy/flow/uncacheable.h"
#include "proxy/policy/advice.h"
#include "proxy/policy/cache_status.h"

namespace weir::flow {

// A copy in one tier, as this request would be served it.
struct HeldCopy {
  std::string backend = {};
  bool is_marker = false;  // of a URL with variants, not an answer
  int status = 0;
  std::uint64_t bytes = 0;  // of its body
  std::int64_t age_s = 0;
  std::int64_t ttl_s = 0;  // below 0: stale for so long
  // One word: fresh, stale-while-revalidate, stale-if-error, stale-slow, stale, purged, validate
  // (never without asking the app), client-no-cache (this client wants the app asked), unfit (for
  // requests that show less, or read more) or personal (not for one visitor's request).
  std::string state = {};
  std::string purge = {};  // "soft" or "hard" where a purge is about it
};

// What an instance knows of the request's key.
struct Standing {
  std::vector<HeldCopy> held = {};        // nearest tier first
  std::vector<std::string> missing = {};  // tiers without a copy
  bool has_variants = false;
  std::vector<std::string> vary = {};  // what tells a URL's answers apart
  std::size_t variants = 0;            // so many are known
  bool in_flight = false;              // the answer is being fetched, or looked for
  std::optional<UncacheableMemory::Remembered> remembered;
  policy::Advice advice = {};  // what would have the next answer stored; of `remembered`
};

struct Outlook {
  // As Cache-Status would have it. Of a request that goes to the app: if that answers with a page
  // that says nothing about caching or, on a key that is known to be uncacheable, as it did last.
  policy::CacheOutcome outcome;
  bool asks_app = false;
  bool follows = false;        // another request's fetch, for as long as that serves it
  bool not_modified = false;   // a 304, for the client's own copy is still good
  Form form = Form::Verbatim;  // how the app is asked, or would be
};

// Without anything stored or remembered: what a first request meets.
Outlook outlook_of_first(const AskedRequest& asked, const Planned& planned);

// What this worker finds; `findings` are of the plan's key.
struct Look {
  Standing standing = {};
  Outlook outlook = {};
};
Look look_at(const AskedRequest& asked, const Planned& planned, const StoredFindings& findings,
             SharedTables& tables, const Clock& clock);

}  // namespace weir::flow
