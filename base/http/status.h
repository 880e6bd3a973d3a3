// What a status says by itself (RFC 9110 section 15, RFC 6585).
#pragma once

#include <string_view>

namespace weir::http {

// The registered reason phrase, or "Unknown".
std::string_view reason_phrase(int status);

// Whether an answer of this status is about one exchange only, and so no answer to anybody else's
// request: interim, partial and conditional answers, which are not the object, and those about one
// client, one connection or what else one request has sent.
bool speaks_of_one_exchange(int status);

}  // namespace weir::http
