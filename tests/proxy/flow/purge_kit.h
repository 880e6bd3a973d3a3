// What the purge book's tests share.
#pragma once

#include <ostream>

#include "proxy/flow/purge_mark.h"

namespace weir::flow {

// Makes failures readable.
inline void PrintTo(PurgeVerdict verdict, std::ostream* out) {
  *out << (verdict == PurgeVerdict::Alive   ? "Alive"
           : verdict == PurgeVerdict::Stale ? "Stale"
                                            : "Dead");
}

}  // namespace weir::flow
