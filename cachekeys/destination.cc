#include "cachekeys/destination.h"

#include "base/http/authority.h"
#include "base/http/forwarded.h"
#include "base/text.h"

namespace weir::keys {
namespace {

using conf::TrustedField;
using http::FieldId;

// A name of DNS, and a port.
constexpr std::size_t kMaxHostBytes = 253 + 6;

// The scheme that is meant, or nothing. A WebSocket's schemes are those of the request that opens
// it.
std::string_view scheme_of(std::string_view told) {
  if (equals_ignore_case(told, "https") || equals_ignore_case(told, "wss")) return "https";
  if (equals_ignore_case(told, "http") || equals_ignore_case(told, "ws")) return "http";
  return {};
}

}  // namespace

Destination destination_of(const http::RequestHead& head, const conf::TrustedFields& believed) {
  Destination out{.authority = head.authority};
  const std::string_view forwarded = believed.has(TrustedField::Forwarded)
                                         ? http::first_element(head, FieldId::Forwarded)
                                         : std::string_view{};

  std::string_view scheme;
  if (believed.has(TrustedField::Proto))
    scheme = scheme_of(http::first_element(head, FieldId::XForwardedProto));
  if (scheme.empty()) scheme = scheme_of(http::forwarded_parameter(forwarded, "proto"));
  if (!scheme.empty()) out.scheme = scheme;

  std::string_view host;
  if (believed.has(TrustedField::Host)) host = http::first_element(head, FieldId::XForwardedHost);
  if (host.empty()) host = http::forwarded_parameter(forwarded, "host");
  if (!host.empty()) {
    out.authority = host;
    out.is_told = true;
    out.is_host = host.size() <= kMaxHostBytes && http::is_valid_authority(host);
  }

  out.port = believed.has(TrustedField::Port) && head.has(FieldId::XForwardedPort);
  out.prefix = believed.has(TrustedField::Prefix) && head.has(FieldId::XForwardedPrefix);
  return out;
}

}  // namespace weir::keys
