// What curl's code for a transfer's end means to us. Pure.
#pragma once

#include <curl/curl.h>

#include "proxy/upstream/fetcher.h"

namespace weir::upstream {

// `code` is not CURLE_OK. `connected`: a connection had been made and the request given to it.
FetchResult result_of(CURLcode code, bool connected);

}  // namespace weir::upstream
