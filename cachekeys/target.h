// A request's path and authority as the key holds them and the app is sent them.
#pragma once

#include <string>
#include <string_view>

#include "base/http/message.h"

namespace weir::keys {

// The path with the escapes of unreserved characters decoded, but for those of dot segments; byte
// for byte when the URL carries a signature.
void append_path(const http::RequestHead& head, std::string& out);

// `authority` in lower case, without the default port of `scheme` and without an empty one.
void append_authority(std::string_view scheme, std::string_view authority, std::string& out);
// Whether two are written alike by append_authority.
bool same_authority(std::string_view scheme, std::string_view a, std::string_view b);

}  // namespace weir::keys
