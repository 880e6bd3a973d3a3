// Which part of a stored answer does this client want: all of it, or only the word that its own
// copy is still good? Pure (RFC 9110 13; RFC 9111 4.3.2).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/http/message.h"

namespace weir::policy {

enum class Selection : std::uint8_t {
  Whole,
  NotModified,  // 304, without a body
};

// What a stored answer can be told by. Views; an absent field is empty.
struct Validators {
  int status = 200;
  std::string_view etag;
  std::string_view last_modified;
  std::string_view date;
};

// For a GET or HEAD that the stored answer would otherwise be sent to whole. If-None-Match counts
// before If-Modified-Since, which is then not looked at; what is malformed is as if it were absent,
// and so costs a whole answer, never a wrong one. Preconditions of the origin's alone (If-Match,
// If-Unmodified-Since) are left to it. Allocates nothing.
Selection select(const http::RequestHead& request, const Validators& stored, std::int64_t wall_s);

}  // namespace weir::policy
