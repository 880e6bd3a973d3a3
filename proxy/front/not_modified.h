// What a 304 says of the stored answer that it stands for. Pure; appends, and allocates nothing
// once `out` has grown.
#pragma once

#include <string>

#include "backends/entry.h"

namespace weir::front {

// The fields that RFC 9110 15.4.5 wants, as they are stored: Cache-Control, Content-Location, Date,
// ETag, Expires, Vary; Last-Modified where there is no ETag to tell copies apart; and Via (7.6.3).
void append_not_modified_fields(std::string& out, const backends::Entry& entry);

}  // namespace weir::front
