// The request-target in the forms that a reverse proxy is asked in (RFC 9112 3.2): origin-form,
// absolute-form of http and https, `*` for OPTIONS; authority-form for CONNECT, which is read only
// to be refused with the right status. Pure; any thread.
#pragma once

#include <string_view>

#include "base/http/message.h"

namespace weir::http {

// Whether some acceptable target of this method begins with `c`.
bool may_start_target(char c, Method method);

// Fills target, scheme, authority, path and query; head.method is set already. False when the
// target, whose bytes are all visible ASCII other than '#', has none of the forms.
bool split_target(std::string_view target, RequestHead& head);

}  // namespace weir::http
