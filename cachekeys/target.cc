#include "cachekeys/target.h"

#include "base/text.h"
#include "cachekeys/percent.h"
#include "cachekeys/query.h"

namespace weir::keys {
namespace {

std::string_view without_default_port(std::string_view scheme, std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  if (colon == authority.npos || authority.ends_with(']')) return authority;
  const std::string_view port = authority.substr(colon + 1);
  const bool is_default =
      port.empty() || (scheme == "http" && port == "80") || (scheme == "https" && port == "443");
  return is_default ? authority.substr(0, colon) : authority;
}

}  // namespace

void append_path(const http::RequestHead& head, std::string& out) {
  if (head.path.find('%') == head.path.npos || is_signed_query(head.query)) {
    out.append(head.path);
  } else {
    append_normal_path(head.path, out);
  }
}

void append_authority(std::string_view scheme, std::string_view authority, std::string& out) {
  append_lower(out, without_default_port(scheme, authority));
}

bool same_authority(std::string_view scheme, std::string_view a, std::string_view b) {
  return equals_ignore_case(without_default_port(scheme, a), without_default_port(scheme, b));
}

}  // namespace weir::keys
