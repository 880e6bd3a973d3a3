#include "proxy/upstream/curl_global.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <csignal>
#include <mutex>

#include "base/check.h"

namespace weir::upstream {

void init_curl() {
  static std::once_flag once;
  std::call_once(once, [] {
    std::signal(SIGPIPE, SIG_IGN);
    WEIR_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
  });
}

std::string linked_curl_version() {
  const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
  if (info->ssl_version == nullptr) return fmt::format("libcurl/{}", info->version);
  return fmt::format("libcurl/{} {}", info->version, info->ssl_version);
}

}  // namespace weir::upstream
