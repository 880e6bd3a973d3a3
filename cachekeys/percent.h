// Percent-encoding (RFC 3986 2.1) for keys. Pure; no allocation once the buffers have grown.
#pragma once

#include <string>
#include <string_view>

namespace weir::keys {

// The value of a hexadecimal digit, or -1.
int hex_value(char c);

// Appends `text` with the escapes of unreserved characters decoded, which every recipient must
// treat alike (RFC 3986 6.2.2.2). Text that holds a malformed escape is appended as it is: its
// bytes could otherwise join into a new escape.
void append_normal_escapes(std::string_view text, std::string& out);

// The same for a path, where the escapes of a dot segment stay: "%2e%2e" is a name to whoever does
// not decode it, and ".." would not be.
void append_normal_path(std::string_view path, std::string& out);

// `name` as an app reads it, '+' as a space and every escape decoded: for comparing with rules
// only. A view of `name` or of `scratch`.
std::string_view decoded_name(std::string_view name, std::string& scratch);

}  // namespace weir::keys
