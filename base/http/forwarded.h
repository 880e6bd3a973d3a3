// Reading what a proxy says of its client: list fields (RFC 9110 5.6.1) by their first element, and
// Forwarded (RFC 7239). Pure; the views are into the request's bytes.
#pragma once

#include <string>
#include <string_view>

#include "base/http/message.h"

namespace weir::http {

// All values of a field in one list.
std::string joined_lines(const RequestHead& head, FieldId id);

// The first element that is not empty over all lines of the field, which are one list; empty when
// there is none.
std::string_view first_element(const RequestHead& head, FieldId id);

// The value of the parameter `name` (lower case) in one element of Forwarded, without its quotes;
// empty when the element has none. An escape within quotes is left as it is: no host, no scheme
// and no address needs one.
std::string_view forwarded_parameter(std::string_view element, std::string_view name);

}  // namespace weir::http
