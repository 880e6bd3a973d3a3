#include "proxy/upstream/end_of_transfer.h"

namespace weir::upstream {

FetchResult result_of(CURLcode code, bool connected) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:  // an answer that does not begin with HTTP/
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_OUT_OF_MEMORY:  // what a line beyond curl's own bound is reported as
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return connected ? FetchResult::Garbage : FetchResult::Refused;
    case CURLE_OPERATION_TIMEDOUT:
      return FetchResult::Timeout;
    default:
      return connected ? FetchResult::Broken : FetchResult::Refused;
  }
}

}  // namespace weir::upstream
