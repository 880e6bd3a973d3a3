#include "proxy/version.h"

#include <fmt/format.h>
#include <weir_revision.h>

#include "base/hash.h"
#include "base/net/event_loop.h"
#include "proxy/upstream/curl_global.h"

namespace weir {

std::string version_text() {
  return fmt::format(
      "weir {} ({})\n{}\nlibevent/{}\nyaml-cpp/{}\nre2/{}\nxxhash/{}\nfmt/{}.{}.{}\n", WEIR_VERSION,
      WEIR_REVISION, upstream::linked_curl_version(), linked_libevent_version(),
      WEIR_YAMLCPP_VERSION, WEIR_RE2_VERSION, xxhash_version(), FMT_VERSION / 10000,
      FMT_VERSION / 100 % 100, FMT_VERSION % 100);
}

std::string_view version_number() {
  return WEIR_VERSION;
}

std::string_view version_revision() {
  return WEIR_REVISION;
}

}  // namespace weir
