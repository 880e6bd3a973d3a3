// What requests need of the worker that they run on. One loop.
#pragma once

#include <memory>

#include "proxy/flow/fill.h"
#include "proxy/flow/site.h"
#include "proxy/flow/stored_look.h"

namespace weir::flow {

struct WorkerContext {
  EventLoop& loop;
  SharedTables& tables;
  Fills& fills;
  std::shared_ptr<const LoopSite>
      site;  // replaced by a reload; a request keeps the one it began with
  StoredLooks looks = {};
};

}  // namespace weir::flow
