#include "proxy/version.h"

#include <fmt/format.h>
#include <weir_revision.h>

#include <sstream>
#include <vector>

#include "base/hash.h"
#include "base/net/event_loop.h"
#include "proxy/admin/json.h"
#include "proxy/upstream/curl_global.h"

namespace weir {

namespace {

struct Library {
  std::string_view name;
  std::string version;
};

std::vector<Library> linked_libraries() {
  return {{"libevent", std::string(linked_libevent_version())},
          {"yaml-cpp", WEIR_YAMLCPP_VERSION},
          {"re2", WEIR_RE2_VERSION},
          {"xxhash", std::string(xxhash_version())},
          {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
                              FMT_VERSION % 100)},
          {"hiredis", WEIR_HIREDIS_VERSION},
          {"prometheus-cpp", WEIR_PROMETHEUS_VERSION}};
}

}  // namespace

std::string version_text() {
  std::string out = fmt::format("weir {} ({})\n{}\n", WEIR_VERSION, WEIR_REVISION,
                                upstream::linked_curl_version());
  for (const Library& library : linked_libraries()) {
    out += fmt::format("{}/{}\n", library.name, library.version);
  }
  return out;
}

std::string version_json() {
  admin::Json out = {{"version", WEIR_VERSION}, {"revision", WEIR_REVISION}};
  admin::Json& libraries = out["libraries"];
  // libcurl names itself and what it stands on: "libcurl/7.88.1 OpenSSL/3.0.15 …".
  std::istringstream curl(upstream::linked_curl_version());
  for (std::string one; curl >> one;) {
    const std::size_t slash = one.find('/');
    if (slash != std::string::npos) libraries[one.substr(0, slash)] = one.substr(slash + 1);
  }
  for (const Library& library : linked_libraries()) libraries[library.name] = library.version;
  return admin::text_of(out);
}

std::string_view version_number() {
  return WEIR_VERSION;
}

std::string_view version_revision() {
  return WEIR_REVISION;
}

}  // namespace weir
