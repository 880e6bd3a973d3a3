// A request's header section for the wire, nothing in it that we did not write: for libcurl as the
// list of CURLOPT_HTTPHEADER, for a tunnel as bytes. Reused from request to request: in the steady
// state it allocates nothing. Not thread-safe.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/upstream/fetcher.h"

namespace weir::upstream {

// Whether nothing in the request could be read as more than one line: the last look before bytes
// from outside are handed to a library that sends strings as they are. build() relies on it.
bool is_sendable(const FetchRequest& request, std::string_view host);

class RequestLines {
 public:
  // The list stays valid until the next call, or this object's end.
  curl_slist* build(const FetchRequest& request, std::string_view host);

 private:
  void begin();
  void end();
  void add(std::string_view text);
  void add_fields(const FetchRequest& request);

  std::string bytes_;                // the list's elements, each ended by NUL
  std::vector<std::size_t> starts_;  // of the elements in it
  std::vector<curl_slist> nodes_;
};

// Request line and header section of an upgrade, with the blank line.
std::string upgrade_head(const FetchRequest& request, std::string_view host);

}  // namespace weir::upstream
