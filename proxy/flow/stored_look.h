// Looks into each tier of a route for what it holds of a request, merely to know: nothing is
// counted, promoted or kept from being evicted by it. A tier that has to wait for its medium is
// waited for. One loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "backends/backend.h"
#include "proxy/flow/fill_order.h"
#include "proxy/flow/site.h"

namespace weir::flow {

struct TierFinding {
  std::string backend = {};
  backends::EntryRef entry = {};  // null: it has nothing
};

// Nearest tier first. What a request would use is the first that was found.
struct StoredFindings {
  std::vector<TierFinding> under_url = {};      // responses, or the marker of a URL with variants
  backends::EntryRef marker = {};               // the one that a request would follow
  std::vector<TierFinding> under_variant = {};  // then: what this request asks for among them
  OwnedKey variant_key = {};

  // Where a request finds its answer: in the second list where there is a marker.
  const std::vector<TierFinding>& answers() const { return marker ? under_variant : under_url; }
  backends::EntryRef answer() const;
};

// What is looked for.
struct StoredQuestion {
  std::shared_ptr<const LoopSite> site;
  const RouteRuntime* route = nullptr;  // a cached one of that site
  OwnedHead head = {};
  OwnedKey key = {};  // the base key
};

// A worker's looks in progress. Used and destroyed on its loop, before the loop's stores.
class StoredLooks {
 public:
  using Done = std::function<void(const StoredQuestion& question, StoredFindings findings)>;

  StoredLooks();
  ~StoredLooks();
  StoredLooks(const StoredLooks&) = delete;
  StoredLooks& operator=(const StoredLooks&) = delete;
  // `done` is called once, perhaps within this call; never when stop() comes first.
  void start(StoredQuestion question, Done done);
  void stop();

 private:
  class Look;
  std::unordered_map<Look*, std::unique_ptr<Look>> looks_;
};

}  // namespace weir::flow
