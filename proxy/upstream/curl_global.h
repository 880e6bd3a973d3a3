// The library as a whole: set up once in a process, before any thread that fetches.
#pragma once

#include <string>

namespace weir::upstream {

// Idempotent; any thread. Ignores SIGPIPE too, for curl is told to leave signals alone.
void init_curl();
// What is linked at run time, such as "libcurl/7.88.1 OpenSSL/3.0.15".
std::string linked_curl_version();

}  // namespace weir::upstream
