// The authority of a request: uri-host [":" port] (RFC 9110 7.2), as Host, an absolute-form target
// and CONNECT carry it. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::http {

enum class Port : std::uint8_t { Optional, Required };

// A name, an IPv4 address or a bracketed IPv6 address, and a port of 0 to 65535. Narrower than the
// RFC where the RFC leaves two spellings of one thing: no empty host, no empty port, no
// percent-encoding, no ',' (which a merged pair of Host lines would hold), no user information.
bool is_valid_authority(std::string_view text, Port port = Port::Optional);

// A valid one without its port; an IPv6 address keeps its brackets.
inline std::string_view without_port(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  return has_port ? authority.substr(0, colon) : authority;
}

}  // namespace weir::http
