#include "base/http/authority.h"

#include <arpa/inet.h>

#include <cstring>

#include "base/http/char_class.h"
#include "base/text.h"

namespace weir::http {
namespace {

bool is_ipv6(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof terminated) return false;
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  // inet_pton stops at a NUL, so one within would hide what follows it.
  if (std::strlen(terminated) != text.size()) return false;
  in6_addr address;
  return inet_pton(AF_INET6, terminated, &address) == 1;
}

bool is_port(std::string_view text) {
  if (text.size() > 5) return false;
  const auto value = parse_decimal(text);
  return value && *value <= 65535;
}

}  // namespace

bool is_valid_authority(std::string_view text, Port port) {
  std::size_t host_size;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !is_ipv6(text.substr(1, close - 1))) return false;
    host_size = close + 1;
  } else {
    host_size = static_cast<std::size_t>(
        find_not(text.data(), text.data() + text.size(), kHostChar) - text.data());
    if (host_size == 0) return false;
  }
  if (host_size == text.size()) return port == Port::Optional;
  return text[host_size] == ':' && is_port(text.substr(host_size + 1));
}

}  // namespace weir::http
