// Which URIs an unsafe request's success makes doubtful (RFC 9111 4.4): a form was posted, and what
// is stored of the page is no longer so. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/http/message.h"

namespace weir::policy {

// What a request was for, as its client spelled it. Views.
struct TargetUri {
  std::string_view scheme = "http";  // "http" or "https", as in the key
  std::string_view authority = {};   // where the visitor was going
  std::string_view path = {};
  std::string_view query = {};
  bool has_query = false;  // tells "/p?" from "/p"
};

// A URI of the target's origin, to be keyed as a request for it would be.
struct InvalidatedUri {
  std::string authority = {};  // the target's
  std::string path = {};
  std::string query = {};
  bool has_query = false;
  friend bool operator==(const InvalidatedUri&, const InvalidatedUri&) = default;
};

// The target first, then what Location and Content-Location say, each once. None unless the method
// is unsafe or not known, and the answer 2xx or 3xx. Of the two fields only what is of the target's
// origin counts (scheme, host, port), so that no app makes pages of another be forgotten; what no
// request could be for, or what browsers and the grammar read differently, is not heard.
std::vector<InvalidatedUri> invalidated_uris(http::Method method, const TargetUri& target,
                                             const http::ResponseHead& answer);

}  // namespace weir::policy
