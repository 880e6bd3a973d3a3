// How a path is read when routes are matched. Apps and the layers before them read some paths in
// more than one way; the router must not be fooled by any of them. Pure; docs/POLICY.md explains.
#pragma once

#include <string>
#include <string_view>

namespace weir::route {

// Whether the path has but one reading, itself: nothing escaped, no `;`, no backslash, no empty
// segment, none that begins with a dot. No allocation.
bool is_plain_path(std::string_view path);

// One spelling for equal paths (RFC 3986 6.2.2): escapes of characters that may stand in a segment
// are decoded, all others are escaped with upper-case digits. `/`, `\`, `;` and `%` stay apart
// from their escapes. Appends to `out`.
void append_canonical(std::string_view path, std::string& out);

// The canonical path as an app sees it that decodes everything, drops path parameters and empty
// segments, takes `\` for `/`, stops at an escaped `?`, `#` or NUL, and resolves `.` and `..`.
std::string resolved_reading(std::string_view canonical);

}  // namespace weir::route
